# What nginx itself answers at a ktp location has the contract's shape, and
# what is surely bad is answered before the body is there.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Error;
use KTP::Image;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);
our $head = "Host: a\r\nContent-Type: image/jpeg\r\n";

# the whole answer but for its message
sub error_like {
    my ($code) = @_;

    return KTP::Error::like($code);
}

run_tests();

__DATA__

=== TEST 1: 403 of allow and deny
--- http_config
    limit_req_zone $server_name zone=r:1m rate=1r/m;
    limit_conn_zone $server_name zone=c:1m;
    ktp_app_id a;
    ktp_api_key b;
--- config
    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /brief {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        lingering_timeout 200ms;
    }
    location = /denied { deny all; ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /gone { ktp_pass $TEST_NGINX_UPSTREAM/x; return 404; }
    location = /414 { ktp_pass $TEST_NGINX_UPSTREAM/x; return 414; }
    location = /500 { ktp_pass $TEST_NGINX_UPSTREAM/x; return 500; }
    location = /503 { ktp_pass $TEST_NGINX_UPSTREAM/x; return 503; }
    location = /slow {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        client_body_timeout 200ms;
    }
    location = /small {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        client_max_body_size 1k;
    }
    location = /rate {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        limit_req zone=r;
        limit_req_status 429;
    }
    location = /plain {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_json_errors off;
        deny all;
    }
    location = /page {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        error_page 403 /own;
        deny all;
    }
    location = /own { return 200 "own page"; }
    location = /missing { error_page 404 @ktp; return 404; }
    location @ktp { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /other { deny all; }
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /denied\n" . $::jpeg
--- error_code: 403
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('FORBIDDEN')
--- upstream_calls: 0



=== TEST 2: 404
--- request
POST /gone
--- error_code: 404
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('NOT_FOUND')



=== TEST 3: 405, and what is allowed
--- request
GET /e
--- error_code: 405
--- response_headers
Allow: POST
Content-Type: application/json
--- response_body_like eval: main::error_like('METHOD_NOT_ALLOWED')
--- upstream_calls: 0



=== TEST 4: 405 of HEAD has no body, and the length of the one of GET
--- request
HEAD /e
--- error_code: 405
--- response_headers_like
Content-Length: [1-9]\d*
--- response_body



=== TEST 5: 408, the body does not come
--- raw_request eval
"POST /slow HTTP/1.1\r\n$::head" . "Content-Length: 5000\r\n\r\n\xff\xd8\xff"
--- error_code: 408
--- response_headers
Content-Type: application/json
Connection: close
--- response_body_like eval: main::error_like('REQUEST_TIMEOUT')
--- upstream_calls: 0



=== TEST 6: a body over nginx's own limit
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /small\n" . $::jpeg
--- error_code_like: ^4(00|13)$
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_SIZE')
--- upstream_calls: 0



=== TEST 7: 414
--- request
POST /414
--- error_code: 414
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('URI_TOO_LONG')



=== TEST 8: 415, for another type or none
--- more_headers eval
["Content-Type: text/html", "X-Nothing: 1"]
--- request eval
["POST /e\nx", "POST /e\nx"]
--- error_code eval
[415, 415]
--- response_headers eval
["Content-Type: application/json", "Content-Type: application/json"]
--- response_body_like eval
[(main::error_like('UNSUPPORTED_MEDIA_TYPE')) x 2]



=== TEST 9: 429 of limit_req
--- more_headers
Content-Type: image/jpeg
--- request eval
["POST /rate\n" . $::jpeg, "POST /rate\n" . $::jpeg]
--- error_code eval
[200, 429]
--- response_headers eval
["Content-Type: application/json", "Content-Type: application/json"]
--- response_body_like eval
[qr/V-1/, main::error_like('TOO_MANY_REQUESTS')]
--- upstream_calls: 1



=== TEST 10: 500
--- request
POST /500
--- error_code: 500
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('INTERNAL_SERVER_ERROR')



=== TEST 11: 503
--- request
POST /503
--- error_code: 503
--- response_headers
Content-Type: application/json
--- response_body_like eval: main::error_like('SERVICE_UNAVAILABLE')



=== TEST 12: switched off, nginx answers as ever
--- request
POST /plain
--- error_code: 403
--- response_headers
Content-Type: text/html
--- response_body_like: <html>



=== TEST 13: an error_page of the operator wins
--- request
POST /page
--- error_code: 403
--- response_body: own page



=== TEST 14: other locations are left alone
--- request
POST /other
--- error_code: 403
--- response_headers
Content-Type: text/html
--- response_body_like: <html>



=== TEST 15: a connection stays usable after errors and an answer
--- pipelined_requests eval
["POST /denied", "GET /e", "POST /gone", "POST /e\n$::jpeg",
 "POST /e\nno image", "GET /own"]
--- more_headers
Content-Type: image/jpeg
--- error_code eval
[403, 405, 404, 200, 400, 200]
--- response_body_like eval
[main::error_like('FORBIDDEN'), main::error_like('METHOD_NOT_ALLOWED'),
 main::error_like('NOT_FOUND'), qr/V-1/,
 main::error_like('INVALID_PAYLOAD_IMAGE_FORMAT'), qr/^own page$/]
--- upstream_calls: 1



=== TEST 16: a declared length that is too large, and no byte of it
--- raw_request eval
"POST /brief HTTP/1.1\r\n$::head" . "Content-Length: 14000000\r\n\r\n"
--- error_code: 400
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_SIZE')
--- upstream_calls: 0



=== TEST 17: the first bytes of a PDF
--- raw_request eval
"POST /brief HTTP/1.1\r\n$::head" . "Content-Length: 500000\r\n\r\n%PDF-1.7\n"
--- error_code: 400
--- response_headers
Connection: close
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_FORMAT')
--- upstream_calls: 0



=== TEST 18: dimensions that are too small, with most of the file unsent
--- raw_request eval
"POST /brief HTTP/1.1\r\n$::head" . "Content-Length: 500000\r\n\r\n"
. substr main::jpeg(640, 480), 0, 200
--- error_code: 400
--- response_headers
Connection: close
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_SIZE')
--- upstream_calls: 0



=== TEST 19: the rest of a refused body is read, so that the answer arrives
--- more_headers
Content-Type: image/jpeg
--- request eval
"POST /e\n%PDF-1.7" . 'x' x 4_000_000
--- error_code: 400
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_FORMAT')
--- upstream_calls: 0
--- timeout: 10



=== TEST 20: likewise in the chunked coding, over the limit of all bodies
--- more_headers
Content-Type: image/jpeg
Transfer-Encoding: chunked
--- request eval
"POST /e\n" . main::chunked(main::jpeg(800, 600, size => 6_000_000), 100_000)
--- error_code: 400
--- response_body_like eval: main::error_like('INVALID_PAYLOAD_IMAGE_SIZE')
--- upstream_calls: 0
--- timeout: 10



=== TEST 21: an error_page that is a ktp location answers for itself
--- pipelined_requests eval
["POST /missing\n$::jpeg", "POST /missing\nno image"]
--- more_headers
Content-Type: image/jpeg
--- error_code eval
[404, 404]
--- response_body_like eval
[qr/V-1/, main::error_like('INVALID_PAYLOAD_IMAGE_FORMAT')]
--- upstream_calls: 1



=== TEST 22: no precondition throws a paid answer away
--- pipelined_requests eval
["POST /e\n$::jpeg", "POST /e\n$::jpeg", "POST /e\n$::jpeg"]
--- more_headers eval
["Content-Type: image/jpeg\nIf-Match: \"x\"",
 "Content-Type: image/jpeg\nIf-None-Match: *",
 "Content-Type: image/jpeg\nIf-Unmodified-Since: "
 . "Mon, 02 Jan 2006 15:04:05 GMT"]
--- error_code eval
[200, 200, 200]
--- response_body_like eval
[qr/V-1/, qr/V-1/, qr/V-1/]
--- upstream_calls: 3
