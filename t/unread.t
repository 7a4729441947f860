# What is said to a client whose body is not read to its end.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use Test::Nginx::Socket;

repeat_each(1);
plan tests => repeat_each() * (blocks() * 3 + 1);

no_long_string();
run_tests();

__DATA__

=== TEST 1: refused by the first bytes: the connection cannot go on
--- config
location = /ktp {
    ktp_pass http://127.0.0.1:1/v2/ktp/extract;
}
--- raw_request eval
"POST /ktp HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
. "Content-Length: 100000\r\n\r\n%PDF-1.4"
--- error_code: 400
--- response_headers
Connection: close
--- response_body_like: INVALID_PAYLOAD_IMAGE_FORMAT


=== TEST 2: refused by the declared length: the body is not asked for
--- config
location = /ktp {
    ktp_pass http://127.0.0.1:1/v2/ktp/extract;
}
--- raw_request eval
"POST /ktp HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
. "Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n"
--- error_code: 400
--- response_headers
Connection: close
--- response_body_like: INVALID_PAYLOAD_IMAGE_SIZE
--- raw_response_headers_unlike: 100 Continue


=== TEST 3: a body that stops: 408 with an answer
--- config
location = /ktp {
    client_body_timeout 200ms;
    ktp_pass http://127.0.0.1:1/v2/ktp/extract;
}
--- raw_request eval
"POST /ktp HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
. "Content-Length: 100000\r\n\r\n\xff\xd8\xff"
--- error_code: 408
--- response_headers
Connection: close
--- response_body_like: REQUEST_TIMEOUT
