# Who may call: keys and names, beside nginx's own access modules, and
# before one byte of the body is read.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use MIME::Base64;
use lib 't/lib';
use KTP;
use KTP::Error;
use KTP::Image;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);

my %hash = map { $_ => sha256_hex("key-of-$_") } qw(one old new off few);

$ENV{TEST_NGINX_CLIENTS} = <<EOC;
    ktp_client one { key_sha256 $hash{one}; }
    ktp_client two { key_sha256 $hash{old} $hash{new}; }
    ktp_client off { key_sha256 $hash{off}; disabled; }
    ktp_client keyless { }
    ktp_client few {
        key_sha256 $hash{few};
        fields nik full_name;
        mask nik=last:4;
    }
EOC

# passwords as nginx reads them without a crypt()
KTP::Nginx::write_file("$ENV{TEST_NGINX_DIR}/users", "one:{PLAIN}pass\n");

sub post {
    return "POST $_[0]\n" . $jpeg;
}

our $unauthorized =
    KTP::Error::like('UNAUTHORIZED');
our $forbidden = KTP::Error::like('FORBIDDEN');

run_tests();

__DATA__

=== TEST 1: the right key, in any spelling of the headers, is not sent on
--- http_config eval
qq{
    ktp_app_id $ENV{TEST_NGINX_APP_ID};
    ktp_api_key $ENV{TEST_NGINX_API_KEY};
$ENV{TEST_NGINX_CLIENTS}
    client_header_buffer_size 8k;
    limit_req_zone \$http_app_id zone=r:1m rate=1r/m;
    map \$http_x_name \$name { default \$http_x_name; }
}
--- config
    ktp_auth on;
    lingering_timeout 100ms;
    add_header X-Client "$ktp_client" always;
    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /free { ktp_auth off; ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /named { ktp_auth $name; ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /stream {
        ktp_request_buffering off;
        add_header X-Seen "$ktp_intake$ktp_image_bytes$ktp_image_hmac" always;
        ktp_log_key 0123456789abcdef;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /delayed {
        auth_delay 200ms;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /html {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_json_errors off;
    }
    location = /page {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        error_page 401 /own;
    }
    location = /own { ktp_auth off; return 200 "own page"; }
    location = /plain { return 200 "never"; }
    location = /file { root html; }
    location = /wide {
        ktp_fields nik gender full_name;
        ktp_mask full_name gender;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /limited {
        limit_req zone=r;
        limit_req_status 429;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /denied { deny all; ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /any-ip {
        satisfy any;
        allow 127.0.0.1;
        deny all;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /any-key {
        satisfy any;
        deny all;
        auth_basic "both";
        auth_basic_user_file $TEST_NGINX_DIR/users;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /all {
        auth_basic "both";
        auth_basic_user_file $TEST_NGINX_DIR/users;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /basic {
        auth_basic "both";
        auth_basic_user_file $TEST_NGINX_DIR/users;
        ktp_auth $remote_user;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /subrequest {
        auth_request /who;
        auth_request_set $who $upstream_http_x_who;
        ktp_auth $who;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /who {
        internal;
        ktp_auth off;
        proxy_pass $TEST_NGINX_UPSTREAM/who;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
    }
--- more_headers
app-id: one
API-KEY: key-of-one
Content-Type: image/jpeg
--- request eval
main::post('/e')
--- error_code: 200
--- upstream_calls: 1
--- upstream_head_like eval
"^App-ID: canary-app-id\r\n"
--- upstream_head_unlike
key-of-one
: one
--- no_error_log
[error]



=== TEST 2: a wrong key, a wrong name, or none of either
--- more_headers eval
["App-ID: one\nAPI-Key: key-of-two", "App-ID: One\nAPI-Key: key-of-one",
 "App-ID: nobody\nAPI-Key: key-of-one", "App-ID: one", "API-Key: key-of-one",
 "X-Nothing: 1", "App-ID: keyless\nAPI-Key: ", "App-ID: keyless",
 "App-ID: one\nAPI-Key: key-of-one \nContent-Type: image/jpeg", "App-ID:\nAPI-Key: key-of-one"]
--- request eval
[map { main::post('/e') } 1 .. 10]
--- error_code eval
[(401) x 8, 200, 401]
--- response_body_like eval
[($::unauthorized) x 8, '"nik"', $::unauthorized]
--- response_headers_like eval
[(qq{WWW-Authenticate: API-Key realm="ktp"\nContent-Type: application/json}) x 8,
 'Content-Type: application/json',
 qq{WWW-Authenticate: API-Key realm="ktp"\nContent-Type: application/json}]
--- upstream_calls: 1



=== TEST 3: a header that is there twice is no key
--- more_headers eval
["App-ID: one\nApp-ID: one\nAPI-Key: key-of-one",
 "App-ID: one\nAPI-Key: key-of-one\nAPI-Key: wrong"]
--- request eval
[main::post('/e'), main::post('/e')]
--- error_code eval
[401, 401]
--- response_body_like eval
[$::unauthorized, $::unauthorized]
--- upstream_calls: 0



=== TEST 4: either of two keys
--- more_headers eval
["App-ID: two\nAPI-Key: key-of-old\nContent-Type: image/jpeg",
 "App-ID: two\nAPI-Key: key-of-new\nContent-Type: image/jpeg",
 "App-ID: two\nAPI-Key: key-of-one\nContent-Type: image/jpeg"]
--- request eval
[main::post('/e'), main::post('/e'), main::post('/e')]
--- error_code eval
[200, 200, 401]
--- response_headers_like eval
["X-Client: two", "X-Client: two", "X-Client: "]
--- upstream_calls: 2



=== TEST 5: a client that is disabled is told so with its key only
--- more_headers eval
["App-ID: off\nAPI-Key: key-of-off\nContent-Type: image/jpeg",
 "App-ID: off\nAPI-Key: key-of-one\nContent-Type: image/jpeg"]
--- request eval
[main::post('/e'), main::post('/e')]
--- error_code eval
[403, 401]
--- response_body_like eval
[$::forbidden, $::unauthorized]
--- upstream_calls: 0



=== TEST 6: an unauthorized body is not read
--- raw_request eval
"POST /e HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
. "Connection: close\r\nContent-Length: 1000000\r\n\r\n"
--- error_code: 401
--- response_body_like eval
$::unauthorized
--- no_error_log
declared length 1000000



=== TEST 7: a location may need no key
--- more_headers
Content-Type: image/jpeg
--- request eval
main::post('/free')
--- error_code: 200
--- response_headers
! X-Client
--- upstream_calls: 1



=== TEST 8: a name that nginx's own auth gives: one, none, unknown, disabled
--- more_headers eval
["X-Name: one\nContent-Type: image/jpeg", "Content-Type: image/jpeg",
 "X-Name: nobody\nContent-Type: image/jpeg",
 "X-Name: off\nContent-Type: image/jpeg"]
--- request eval
[map { main::post('/named') } 1 .. 4]
--- error_code eval
[200, 401, 403, 403]
--- response_body_like eval
['"nik"', $::unauthorized, $::forbidden, $::forbidden]
--- upstream_calls: 1



=== TEST 9: 401 without ktp_json_errors is the module's own, and stays JSON
--- request eval
main::post('/html')
--- error_code: 401
--- response_body_like eval
$::unauthorized



=== TEST 10: error_page wins
--- request eval
main::post('/page')
--- error_code: 401
--- response_body: own page



=== TEST 11: other locations ask too where it is set
--- more_headers eval
["X-Nothing: 1", "App-ID: one\nAPI-Key: key-of-one"]
--- request eval
["GET /file", "GET /file"]
--- error_code eval
[401, 404]



=== TEST 12: satisfy all: a denied address stays denied
--- more_headers eval
["App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg",
 "Content-Type: image/jpeg"]
--- request eval
[main::post('/denied'), main::post('/denied')]
--- error_code eval
[403, 403]
--- response_body_like eval
[$::forbidden, $::forbidden]
--- upstream_calls: 0



=== TEST 13: satisfy any: an allowed address needs no key
--- more_headers
Content-Type: image/jpeg
--- request eval
main::post('/any-ip')
--- error_code: 200
--- upstream_calls: 1



=== TEST 14: satisfy any: a key is as good as a password
--- more_headers eval
["App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg",
 "Authorization: Basic b25lOnBhc3M=\nContent-Type: image/jpeg",
 "Content-Type: image/jpeg",
 "App-ID: one\nAPI-Key: wrong\nContent-Type: image/jpeg"]
--- request eval
[map { main::post('/any-key') } 1 .. 4]
--- error_code eval
[200, 200, 401, 401]
--- response_headers eval
["! WWW-Authenticate\nX-Client: one", "! WWW-Authenticate",
 'WWW-Authenticate: Basic realm="both"',
 'WWW-Authenticate: Basic realm="both"']
--- response_body_like eval
['"nik"', '"nik"', $::unauthorized, $::unauthorized]
--- upstream_calls: 2



=== TEST 15: satisfy all: both are needed
--- more_headers eval
["App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg\n"
 . "Authorization: Basic b25lOnBhc3M=",
 "App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg",
 "Authorization: Basic b25lOnBhc3M=\nContent-Type: image/jpeg"]
--- request eval
[map { main::post('/all') } 1 .. 3]
--- error_code eval
[200, 401, 401]
--- response_headers eval
['! WWW-Authenticate', 'WWW-Authenticate: Basic realm="both"',
 'WWW-Authenticate: API-Key realm="ktp"']
--- upstream_calls: 1



=== TEST 16: the name of auth_basic, when that has checked it
--- more_headers eval
["Authorization: Basic b25lOnBhc3M=\nContent-Type: image/jpeg",
 "Authorization: Basic b25lOndyb25n\nContent-Type: image/jpeg"]
--- request eval
[main::post('/basic'), main::post('/basic')]
--- error_code eval
[200, 401]
--- response_headers_like eval
["X-Client: one", 'WWW-Authenticate: Basic realm="both"']
--- upstream_calls: 1



=== TEST 17: the name that auth_request brings, in the same phase
--- more_headers
Content-Type: image/jpeg
--- request eval
main::post('/subrequest')
--- error_code: 200
--- response_headers
X-Client: two
--- upstream_answer eval
KTP::Upstream::response('200 OK', $KTP::Upstream::Body,
                        'Content-Type: application/json', 'X-Who: two')
--- upstream_calls: 2



=== TEST 18: return is of a phase before
--- request
GET /plain
--- error_code: 200
--- response_body: never



=== TEST 19: limit_req comes before, and limits the guessing of keys
--- more_headers eval
["App-ID: two\nAPI-Key: wrong", "App-ID: two\nAPI-Key: key-of-new",
 "App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg"]
--- request eval
[map { main::post('/limited') } 1 .. 3]
--- error_code eval
[401, 429, 200]
--- response_body_like eval
[$::unauthorized, '"error_code":"TOO_MANY_REQUESTS"', '"nik"']
--- upstream_calls: 1



=== TEST 20: fields and mask of a client win over the location's
--- more_headers eval
["App-ID: few\nAPI-Key: key-of-few\nContent-Type: image/jpeg",
 "App-ID: one\nAPI-Key: key-of-one\nContent-Type: image/jpeg",
 "App-ID: few\nAPI-Key: key-of-few\nContent-Type: image/jpeg"]
--- request eval
[main::post('/wide'), main::post('/wide'), main::post('/e')]
--- upstream_answer eval
KTP::Upstream::response('200 OK', '{"message":"ok","status_code":"1",'
    . '"data":{"nik":"3171234567890123","full_name":"SITI",'
    . '"gender":"PEREMPUAN","city":"JAKARTA"}}')
--- error_code eval
[200, 200, 200]
--- response_body_like eval
['"data":\{"nik":"\*{12}0123","full_name":"SITI"\}',
 '"data":\{"nik":"3171234567890123","full_name":"\*{8}","gender":"\*{8}"\}',
 '"data":\{"nik":"\*{12}0123","full_name":"SITI"\}']
--- upstream_calls: 3



=== TEST 21: what came with the head is passed by, and the next one answered
--- pipelined_requests eval
["POST /e\n{}", "POST /e\n$::jpeg", "GET /e", "POST /e", "POST /stream\n[]",
 "POST /e\n$::jpeg"]
--- more_headers eval
[map({ "App-ID: one\nAPI-Key: key-of-$_\nContent-Type: image/jpeg" }
     qw(two one two two two one))]
--- error_code eval
[401, 200, 401, 401, 401, 200]
--- response_body_like eval
[$::unauthorized, '"nik"', ($::unauthorized) x 3, '"nik"']
--- upstream_calls: 2



=== TEST 22: a right request with a wrong key is not looked at, nor sent on
--- more_headers eval
[map({ "App-ID: one\nAPI-Key: wrong\nContent-Type: $_" }
     ('image/jpeg') x 2, 'application/json', 'text/plain')]
--- request eval
[main::post('/stream'), main::post('/delayed'),
 ("POST /stream\n" . '{"image":"' . MIME::Base64::encode_base64($::jpeg, '') . '"}') x 2]
--- error_code eval
[401, 401, 401, 401]
--- response_headers eval
[('! X-Seen') x 4]
--- response_body_like eval
[($::unauthorized) x 4]
--- upstream_calls: 0



=== TEST 23: a key in another field, which a map turns into the client's name
--- http_config eval
qq{
$ENV{TEST_NGINX_CLIENTS}
    map \$http_x_api_key \$application {
        key-in-a-map  one;
    }
    map \$http_authorization \$bearer {
        "Bearer key-in-a-map"  one;
    }
}
--- config
    location = /x-api-key {
        ktp_auth $application;
        add_header X-Client "$ktp_client" always;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /bearer {
        ktp_auth $bearer;
        add_header X-Client "$ktp_client" always;
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
--- more_headers eval
["X-API-Key: key-in-a-map\nContent-Type: image/jpeg",
 "X-API-Key: another\nContent-Type: image/jpeg", "App-ID: one",
 "Authorization: Bearer key-in-a-map\nContent-Type: image/jpeg",
 "Authorization: bearer\nContent-Type: image/jpeg"]
--- request eval
[(map { main::post('/x-api-key') } 1 .. 3), main::post('/bearer'), main::post('/bearer')]
--- error_code eval
[200, 401, 401, 200, 401]
--- response_headers_like eval
["X-Client: one", "Content-Type: application/json", "Content-Type: application/json",
 "X-Client: one", "Content-Type: application/json"]
--- upstream_calls: 2
