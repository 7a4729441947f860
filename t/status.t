# The counters of ktp_zone, as ktp_status tells them.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);
our $size = length $jpeg;
our $answer = '{"message":"ok","error_code":"WHATEVER","data":{}}';

# the values that tests compare, one a line in the order of the answer
sub only {
    my ($pattern) = @_;

    return sub { join '', grep { /^(?:$pattern)/ } split /(?<=\n)/, $_[0] };
}

our $http = 'ktp_zone ktp:1m;';
our $config = <<'EOC';
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
    }
    location = /s { ktp_status; }
EOC

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => $http) unless defined $block->http_config;
    $block->set_value(config => $config) unless defined $block->config;
});

run_tests();

__DATA__

=== TEST 1: requests by outcome and code
--- request eval
["POST /e\n$::jpeg", "POST /e\nno image", "POST /e\n$::jpeg", "GET /e",
 "GET /s"]
--- more_headers
Content-Type: image/jpeg
--- error_code eval: [200, 400, 200, 405, 200]
--- response_body_filters eval: main::only('ktp_requests_total|ktp_bill')
--- response_body_like eval
[qr/^$/, qr/^$/, qr/^$/, qr/^$/,
qr/\Aktp_requests_total\{client="-",outcome="ok",error_code=""\} 2
ktp_requests_total\{client="-",outcome="rejected",error_code="INVALID_PAYLOAD_IMAGE_FORMAT"\} 1
ktp_requests_total\{client="-",outcome="rejected",error_code="METHOD_NOT_ALLOWED"\} 1
ktp_billable_calls_total\{client="-",billed="yes"\} 2
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
\z/]
--- upstream_calls: 2
