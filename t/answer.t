# What of the upstream's answer the client gets, and what is noted of it.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use KTP;
use KTP::Error;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);
our $nik = '3273010107900001';
our $key = 'a key of the log, 32 characters.';
our $nik_hmac = hmac_sha256_hex($nik, $key);
our $image_hmac = hmac_sha256_hex($jpeg, $key);

# over many of the chunks that an image is held in
our $large = jpeg(800, 600, size => 1_000_001);
our $large_hmac = hmac_sha256_hex($large, $key);

our $person = qq({"message":"Success","status_code":"V-1","data":{"nik":"$nik",)
            . '"full_name":"BUDI SANTOSO","date_of_birth":"01-07-1990",'
            . '"gender":"PEREMPUAN","city":"KOTA BANDUNG",'
            . '"image_quality":{"blur":false,"blur_score":0.250}}}';

# the contract's own order, and what the number says of this person
our $checked = $person =~ s/\}\}\}$//r
             . '},"nik_check":{"valid_format":true,"province":"JAWA BARAT",'
             . '"date_of_birth_matches":true,"gender_matches":false,'
             . '"region_matches":true}}}';

KTP::Nginx::write_file("$ENV{TEST_NGINX_DIR}/log-key", "$key\n");

sub answers { KTP::Upstream::response(@_) }

our $bad_gateway = KTP::Error::like('INTERNAL_SERVER_ERROR');

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(request => "POST /e\n$jpeg")
        unless defined $block->request;
    $block->set_value(more_headers => 'Content-Type: image/jpeg')
        unless defined $block->more_headers;
    $block->set_value(upstream_answer => answers(200, $person))
        unless defined $block->upstream_answer;

    # KTP's own preprocessor ran before
    $KTP::Upstream->answer($block->upstream_answer)
        unless ref $block->upstream_answer;
});

run_tests();

__DATA__

=== TEST 1: without a policy byte for byte
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
--- response_body eval: $::person
--- upstream_calls: 1



=== TEST 2: without a policy also what is not right, which the log tells
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
--- upstream_answer eval
main::answers(503, qq({"message":"no\xff"}))
--- error_code: 503
--- response_body eval: qq({"message":"no\xff"})
--- error_log
upstream response passed unmodified: invalid UTF-8



=== TEST 3: an allow-list of fields
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_fields city image_quality;
    }
--- upstream_answer eval
main::answers(200, $::person, 'Content-Type: application/json; charset=x',
              'Set-Cookie: a=b', 'X-Vendor: 1', 'Server: v')
--- response_body chomp
{"message":"Success","status_code":"V-1","data":{"city":"KOTA BANDUNG","image_quality":{"blur":false,"blur_score":0.250}}}
--- response_headers
Content-Type: application/json
! Set-Cookie
! X-Vendor



=== TEST 4: masks
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_fields nik full_name date_of_birth gender;
        ktp_mask nik=last:4 full_name=first:1 date_of_birth gender=hash;
        ktp_log_key "a key of the log, 32 characters.";
    }
--- response_body eval
use Digest::SHA qw(hmac_sha256_hex);
'{"message":"Success","status_code":"V-1","data":{"nik":"************0001",'
. '"full_name":"B***********","date_of_birth":"********","gender":"'
. hmac_sha256_hex('PEREMPUAN', $::key) . '"}}'



=== TEST 5: the check of the number
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_nik_check on;
    }
--- response_body eval: $::checked



=== TEST 6: directives merge downwards
--- http_config
    ktp_fields nik city;
    ktp_mask nik;
    ktp_nik_check on;
--- config
    ktp_nik_check off;
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_mask none;
    }
--- response_body eval
qq({"message":"Success","status_code":"V-1","data":{"nik":"$::nik","city":"KOTA BANDUNG"}})



=== TEST 7: all and none take back what was set above
--- http_config
    ktp_fields nik;
    ktp_mask nik;
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_fields all;
        ktp_mask none;
    }
--- response_body eval: $::person



=== TEST 8: an answer that is no JSON is not passed on
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_mask nik;
        add_header X-Outcome "$ktp_outcome $ktp_error_code" always;
    }
--- upstream_answer eval
main::answers(200, qq({"nik":"$::nik",}))
--- error_code: 502
--- response_body_like eval: $::bad_gateway
--- response_headers
X-Outcome: upstream_error INTERNAL_SERVER_ERROR
Content-Type: application/json
--- error_log
upstream response rejected: not JSON
--- no_error_log eval: $::nik



=== TEST 9: nor one with a key that is there twice
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_mask nik;
    }
--- upstream_answer eval
main::answers(200, qq({"message":"ok","data":{"nik":"","n\\u0069k":"$::nik"}}))
--- error_code: 502
--- response_body_like eval: $::bad_gateway
--- error_log
upstream response rejected: a key that is there twice
--- no_error_log eval: $::nik



=== TEST 10: nor one with the number in another field
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_mask nik=last:4;
    }
--- upstream_answer eval
main::answers(200, qq({"message":"ok","data":{"nik":"$::nik","rt_rw":"$::nik"}}))
--- error_code: 502
--- response_body_like eval: $::bad_gateway
--- error_log
upstream response rejected: a text that has not the form of its field in rt_rw
--- no_error_log eval: $::nik



=== TEST 11: an error of the upstream is passed as its texts
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_mask nik;
    }
--- upstream_answer eval
main::answers(400, qq({"error_code":"KTP_NOT_DETECTED","x":"y",)
              . qq("message":"not detected: $::nik","data":{"nik":"$::nik"}}))
--- error_code: 400
--- response_body chomp
{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}



=== TEST 12: a reference that is the client's own may look like a number
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_fields reference_id;
    }
--- request eval: "POST /e?reference_id=$::nik\n$::jpeg"
--- upstream_answer eval
main::answers(200, qq({"message":"ok","data":{"reference_id":"$::nik"}}))
--- response_body eval
qq({"message":"Success","data":{"reference_id":"$::nik"}})



=== TEST 13: another one is not passed
--- request eval: "POST /e?reference_id=1\n$::jpeg"
--- upstream_answer eval
main::answers(200, qq({"message":"ok","data":{"reference_id":"$::nik"}}))
--- response_body chomp
{"message":"Success","data":{"reference_id":""}}



=== TEST 14: codes of the answer, and digests
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_log_key "file:$TEST_NGINX_DIR/log-key";
        add_header X-Status $ktp_status_code;
        add_header X-Error "[$ktp_error_code]";
        add_header X-Nik $ktp_nik_hmac;
        add_header X-Image $ktp_image_hmac;
    }
--- response_headers eval
"X-Status: V-1\nX-Error: []\nX-Nik: $::nik_hmac\nX-Image: $::image_hmac"



=== TEST 15: of an image of many pieces, and as base64
--- more_headers
Content-Type: application/json
--- request eval: "POST /e\n" . main::json_body($::large)
--- response_headers eval
"X-Image: $::large_hmac"



=== TEST 16: the code of an answer that is passed on as it is
--- upstream_answer eval
main::answers(200, '{"error_code":"FAIL_ON_1","status_code":7,"data":{}}')
--- response_headers
X-Error: [FAIL_ON_1]
! X-Status
! X-Nik



=== TEST 17: without a key there are no digests
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Nik $ktp_nik_hmac;
        add_header X-Image $ktp_image_hmac;
    }
--- response_headers
! X-Nik
! X-Image



=== TEST 18: a trace is not passed on unless asked for
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Trace $ktp_traceparent;
    }
--- more_headers
Content-Type: image/jpeg
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
--- response_headers_like
X-Trace: ^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331|0{16})[0-9a-f]{16}-01$
--- upstream_head_unlike
(?i)traceparent



=== TEST 19: and then with a span of ours
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_pass_trace on;
        add_header X-Trace $ktp_traceparent;
    }
--- more_headers
Content-Type: image/jpeg
Traceparent: cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later
--- response_headers_like
X-Trace: ^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$
--- upstream_head_like
^traceparent: 00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01\r$



=== TEST 20: a header that is no trace is nobody's
--- more_headers eval
["Content-Type: image/jpeg\n"
 . "traceparent: 00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
 "Content-Type: image/jpeg\n"
 . "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01",
 "Content-Type: image/jpeg\n"
 . "traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
 "Content-Type: image/jpeg\n"
 . "traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
 "Content-Type: image/jpeg\n"
 . "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
 "Content-Type: image/jpeg\n"
 . "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
 "Content-Type: image/jpeg\n"
 . ("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"
    x 2)]
--- request eval
[("POST /e\n$::jpeg") x 7]
--- response_headers eval
[("! X-Trace") x 7]
--- upstream_calls: 7
--- upstream_head_unlike
(?i)traceparent



=== TEST 21: fields and masks of a client win over the location's
--- http_config
    ktp_client one { fields nik city; mask none; }
    ktp_client two { mask nik=first:4; }
    ktp_client three { fields all; mask full_name=hash; }
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_auth $arg_c;
        ktp_fields nik full_name;
        ktp_mask nik=last:4 full_name;
    }
--- request eval
[map { "POST /e?c=$_\n$::jpeg" } qw(one two three)]
--- response_body eval
[qq({"message":"Success","status_code":"V-1","data":{"nik":"$::nik",)
 . '"city":"KOTA BANDUNG"}}',
 '{"message":"Success","status_code":"V-1","data":{"nik":"3273************",'
 . '"full_name":"BUDI SANTOSO"}}',
 # there is no key, so that nothing is shown
 $::person =~ s/BUDI SANTOSO/********/r]



=== TEST 22: the digest of an image that is sent on as it arrives
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_request_buffering off;
        ktp_log_key "file:$TEST_NGINX_DIR/log-key";
        add_header X-Image "$ktp_image_bytes $ktp_image_hmac";
    }
--- request eval: "POST /e\n" . $::large
--- response_headers eval
"X-Image: " . length($::large) . " $::large_hmac"
