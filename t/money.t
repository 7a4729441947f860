# Who answered, and what it cost: the variables and the metrics of money.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);

# the values that tests compare, one a line in the order of the answer
sub only {
    my ($pattern) = @_;

    return sub { join '', grep { /^(?:$pattern)/ } split /(?<=\n)/, $_[0] };
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(more_headers => 'Content-Type: image/jpeg')
        unless defined $block->more_headers;
});

run_tests();

__DATA__

=== TEST 1: the upstream is the source once there is a call
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Source "[$ktp_source]" always;
    }
--- request eval: ["POST /e\n$::jpeg", "POST /e\nno image"]
--- error_code eval: [200, 400]
--- response_headers eval: ['X-Source: [upstream]', 'X-Source: []']
--- upstream_calls: 1



=== TEST 2: a call that fails was the upstream's as well
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Source "[$ktp_source]" always;
    }
--- request eval: "POST /e\n$::jpeg"
--- upstream_answer eval: KTP::Upstream::response(503, '{"error_code":"BUSY"}')
--- error_code: 503
--- response_headers
X-Source: [upstream]



=== TEST 3: nothing is saved where each request has its call
--- http_config
    ktp_zone ktp:1m;
--- config
    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /s { ktp_status; }
--- request eval: ["POST /e\n$::jpeg", "POST /e\n$::jpeg", "GET /s"]
--- error_code eval: [200, 200, 200]
--- response_body_filters eval
main::only('(?:# TYPE )?ktp_saved_|ktp_billable')
--- response_body_like eval
[qr/^$/, qr/^$/,
qr/\Aktp_billable_calls_total\{client="-",billed="yes"\} 2
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
# TYPE ktp_saved_calls_total counter
\z/]
--- upstream_calls: 2
