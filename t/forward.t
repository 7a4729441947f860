# What goes to the upstream, and what comes back.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);
our $base64 = base64($jpeg);

# over many of the transport's buffers, and of no even length in base64
our $large = jpeg(800, 600, size => 3_000_001);

# odd spacing, escapes and numbers that a rewriter would change
our $odd = qq({ "data" :{"nik":"3\\u0031", "x": 1.50e+3 },\r\n)
         . qq( "message":"\\/" , "status_code":"X" }\n);

my $unix = KTP::Upstream->new(unix => "$ENV{TEST_NGINX_DIR}/up.sock");

add_block_preprocessor(sub { $unix->reset });
add_test_cleanup_handler(sub {
    my ($block) = @_;

    is(scalar $unix->calls, $block->unix_calls, $block->name . ' - unix')
        if defined $block->unix_calls;
});

KTP::Nginx::write_file("$ENV{TEST_NGINX_DIR}/key", "key-of-a-file\r\nx\n");

$ENV{TEST_NGINX_UNIX} = $unix->url;

run_tests();

__DATA__

=== TEST 1: the credentials are put in
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/v2/ktp/extract;
        ktp_app_id $TEST_NGINX_APP_ID;
        ktp_api_key $TEST_NGINX_API_KEY;
    }
--- more_headers
Content-Type: application/json
App-ID: of-the-client
API-Key: of-the-client
Cookie: a=b
Authorization: Basic abc
X-Other: 1
--- request eval
"POST /e?x=y\n" . main::json_body($::jpeg)
--- response_body eval
$KTP::Upstream::Body
--- upstream_calls: 1
--- upstream_head_like
^POST /v2/ktp/extract HTTP/1\.1\r$
^App-ID: canary-app-id\r$
^API-Key: canary-api-key\r$
^Content-Type: application/json\r$
--- upstream_head_unlike
of-the-client
(?i)^cookie
(?i)^authorization
(?i)^x-other
(?i)^expect
(?i)^transfer-encoding
--- upstream_body eval
qq({"image":"$::base64"})



=== TEST 2: a bare file is sent as base64
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_body eval
qq({"image":"$::base64"})



=== TEST 3: a large file is sent whole
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::large
--- upstream_body eval
main::json_body($::large)
--- timeout: 10



=== TEST 4: base64 of the client is made standard
--- more_headers
Content-Type: application/json
--- request eval
my $text = main::base64($::large) =~ tr{+/}{-_}r =~ s/=+$//r;
qq(POST /e\n{"x":1,"image":"data:image/jpeg;base64,$text"})
--- upstream_body eval
main::json_body($::large)
--- timeout: 10



=== TEST 5: flags go on
--- more_headers
Content-Type: application/json
--- request eval
"POST /e\n" . main::json_body($::jpeg, validate_quality => 'true')
--- upstream_body eval
main::json_body($::jpeg, validate_quality => 'true')



=== TEST 6: flags of a query string go on
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e?is_quality=false\n" . $::jpeg
--- upstream_body eval
main::json_body($::jpeg, is_quality => 'false')



=== TEST 7: a reference_id goes on, its quotes escaped
--- more_headers
Content-Type: application/json
--- request eval
"POST /e\n" . main::json_body($::jpeg, reference_id => '"a\\"\\\\b"')
--- upstream_body eval
main::json_body($::jpeg, reference_id => '"a\\"\\\\b"')



=== TEST 8: an answer passes byte for byte
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
KTP::Upstream::response('200 OK', $::odd)
--- response_headers
Content-Type: application/json
--- response_body eval
$::odd



=== TEST 9: an error of the vendor passes with its status
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
KTP::Upstream::response('400 Bad Request',
    '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}',
    'Content-Type: application/json', 'Set-Cookie: a=b', 'X-Vendor: 1')
--- error_code: 400
--- response_headers
! Set-Cookie
! X-Vendor
--- response_body chomp
{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}



=== TEST 10: an answer in pieces and in the chunked coding
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
 "Transfer-Encoding: chunked\r\n\r\n", {delay => 0.05},
 "5\r\n{\"a\":\r\n", {delay => 0.05}, "3\r\n 1}\r\n0\r\n\r\n"]
--- response_body chomp
{"a": 1}



=== TEST 11: a socket, and a key from a file
--- config
    ktp_app_id "app-$arg_who";
    location = /e {
        ktp_pass $TEST_NGINX_UNIX/v2/ktp/extract;
        ktp_api_key file:$TEST_NGINX_DIR/key;
    }
    location = /tcp {
        ktp_pass $TEST_NGINX_UPSTREAM/other?a=b;
        ktp_api_key file:$TEST_NGINX_DIR/key;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
["POST /e\n" . $::jpeg, "POST /tcp?who=1\n" . $::jpeg]
--- error_code eval
[200, 200]
--- response_body eval
[$KTP::Upstream::Body, $KTP::Upstream::Body]
--- unix_calls: 1
--- upstream_calls: 1
--- upstream_head_like
^POST /other\?a=b HTTP/1\.1\r$
^App-ID: app-1\r$
^API-Key: key-of-a-file\r$



=== TEST 12: a value with a line break never leaves
--- config
    location /f {
        ktp_pass $TEST_NGINX_UPSTREAM/v2/ktp/extract;
        ktp_app_id "$uri";
        ktp_api_key b;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /f%0d%0aX-Injected:%201\n" . $::jpeg
--- error_code: 500
--- response_body_like: "error_code":"INTERNAL_SERVER_ERROR"
--- upstream_calls: 0
--- error_log
value of upstream header "App-ID" is empty or contains control



=== TEST 13: an upstream that is not there
--- config
    location = /e {
        ktp_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/x;
    }
    location = /s {
        ktp_pass unix:/nonexistent/x.sock:/x;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
["POST /e\n" . $::jpeg, "POST /s\n" . $::jpeg]
--- error_code eval
[502, 502]
--- response_body_like eval
[qr/"error_code":"INTERNAL_SERVER_ERROR"/, qr/"error_code":"INTERNAL_/]
--- error_log
upstream call failed



=== TEST 14: an upstream that says nothing
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_read_timeout 2s;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
[{hang => 1}]
--- error_code: 504
--- response_body_like: "error_code":"INTERNAL_SERVER_ERROR"
--- upstream_calls: 1



=== TEST 15: an upstream that trickles, within the time between two reads
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_read_timeout 10s;
        ktp_timeout 400ms;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
["HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n",
 map { ({delay => 0.1}, '{') } 1 .. 50]
--- error_code: 504
--- response_body_like: "error_code":"INTERNAL_SERVER_ERROR"



=== TEST 16: a redirect is not followed
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . $::jpeg
--- upstream_answer eval
KTP::Upstream::response('307 Temporary Redirect', '',
    "Location: $ENV{TEST_NGINX_UPSTREAM}/y")
--- error_code: 502
--- upstream_calls: 1



=== TEST 17: the log can have the image's facts, and the upstream's times
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Image "$ktp_image_format $ktp_image_width $ktp_image_height $ktp_image_bytes";
        add_header X-Times "$ktp_upstream_connect_time $ktp_upstream_header_time $ktp_upstream_response_time";
        add_header X-Sent $ktp_upstream_bytes_sent;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n" . main::jpeg(800, 600, size => 90_000)
--- upstream_answer eval
[{delay => 0.1}, KTP::Upstream::response('200 OK', $KTP::Upstream::Body)]
--- response_headers_like
X-Image: jpeg 800 600 90000
X-Times: \d+\.\d{3} (?:0\.[1-9]|[1-9]).* (?:0\.[1-9]|[1-9]).*
X-Sent: 120\d\d\d
