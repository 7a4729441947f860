# Who answered, and what it cost: the variables and the metrics of money.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $jpeg = jpeg(800, 600);

# one currency more than there is room for, and one twice
our $nine = join ' ', map { "server { ktp_price 1 $_; }" }
                      qw(IDR USD SGD MYR EUR JPY AUD GBP IDR PHP);

# the same upload twice, with answers that are stored
our $twice = <<'EOC';
    ktp_dedupe on;
    add_header X-Cost "[$ktp_source $ktp_billed $ktp_cost]" always;
    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /free {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_billed_codes none;
    }
    location = /paid {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_billed_codes KTP_NOT_DETECTED;
    }
    location = /s { ktp_status; }
EOC

sub zones {
    return "ktp_zone ktp:$_[0]; ktp_answer_zone answers:$_[0]; "
         . 'ktp_price 1500 IDR;';
}

our $detected = '{"error_code":"KTP_NOT_DETECTED"}';

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



=== TEST 4: the cost of what is billed, is not, or may be
--- http_config
    ktp_price 0.10 USD;
--- config
    add_header X-Cost "[$ktp_billed $ktp_cost]" always;

    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; }
    location = /rejected {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_price 1500 IDR;
        deny all;
    }
    location = /other { return 204; }
--- request eval
["POST /e\n$::jpeg", "POST /e\nno image", "POST /rejected\n$::jpeg",
 "GET /other"]
--- error_code eval: [200, 400, 403, 204]
--- response_headers eval
["X-Cost: [yes 0.1]", "X-Cost: [no 0]", "X-Cost: [no 0]", "X-Cost: [ ]"]
--- upstream_calls: 1



=== TEST 5: unknown whether billed, so is the cost
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_price 500 IDR;
        add_header X-Cost "[$ktp_billed $ktp_cost]" always;
    }
--- request eval: "POST /e\n$::jpeg"
--- upstream_answer eval: KTP::Upstream::response(500, '{"error_code":"X"}')
--- error_code: 500
--- response_headers
X-Cost: [unknown ]



=== TEST 6: without a price there is no cost
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Cost "[$ktp_billed $ktp_cost]" always;
    }
--- request eval: ["POST /e\n$::jpeg", "POST /e\nno image"]
--- error_code eval: [200, 400]
--- response_headers eval: ["X-Cost: [yes ]", "X-Cost: [no ]"]



=== TEST 7: the location of the call counts, also where another ends the request
--- http_config
    ktp_zone ktp:2m;
    ktp_price 0.25 USD;
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_price 1500.000001 IDR;
        post_action /after;
    }
    location = /after { return 204; }
    location = /s { ktp_status; }
--- request eval: ["POST /e\n$::jpeg", "POST /e\n$::jpeg", "GET /s"]
--- error_code eval: [200, 200, 200]
--- response_body_filters eval: main::only('ktp_cost')
--- response_body_like eval
[qr/^/, qr/^/,
qr/\Aktp_cost_total\{client="-",currency="USD"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 3000.000002
\z/]



=== TEST 8: sums are exact, by client and currency
--- http_config
    ktp_zone ktp:3m;
    ktp_price 0.1 USD;
    ktp_client one { }
    ktp_client two { }
--- config
    location = /e { ktp_pass $TEST_NGINX_UPSTREAM/x; ktp_auth $arg_c; }
    location = /i {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_auth $arg_c;
        ktp_price 550 IDR;
    }
    location = /s { ktp_status; }
--- request eval
[("POST /e?c=one\n$::jpeg") x 3, "POST /e?c=two\n$::jpeg",
 ("POST /i?c=two\n$::jpeg") x 2, "POST /i?c=two\nno image", "GET /s"]
--- error_code eval: [(200) x 6, 400, 200]
--- response_body_filters eval: main::only('(?:# TYPE )?ktp_cost')
--- response_body_like eval
[(qr/^/) x 7,
qr/\A# TYPE ktp_cost_total counter
ktp_cost_total\{client="two",currency="USD"\} 0\.1
ktp_cost_total\{client="two",currency="IDR"\} 1100
ktp_cost_total\{client="one",currency="USD"\} 0\.3
ktp_cost_total\{client="one",currency="IDR"\} 0
\z/]



=== TEST 9: the local extractor costs nothing
--- http_config
    ktp_zone ktp:5m;
    ktp_price 500 IDR;
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        add_header X-Cost "[$ktp_billed $ktp_cost]" always;
    }
    location = /s { ktp_status; }
--- request eval: ["POST /e\n$::jpeg", "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(200, '{"status_code":"LOCAL-0","data":{}}')
--- error_code eval: [200, 200]
--- response_headers eval: ["X-Cost: [no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|bill)')
--- response_body_like eval
[qr/^/, qr/\Aktp_billable_calls_total\{client="-",billed="yes"\} 0
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 0
\z/]



=== TEST 10: more currencies than there is room for
--- http_config eval: $::nine
--- config
--- must_die
--- error_log
too many currencies in "ktp_price" directives, there must be at most 8



=== TEST 11: prices in server and location twice
--- config
    ktp_price 1 IDR;
    ktp_price 1 USD;
--- must_die
--- error_log
"ktp_price" directive is duplicate



=== TEST 12: a replay costs nothing, and has saved a call
--- http_config eval: main::zones('2m')
--- config eval: $::twice
--- request eval: [("POST /e\n$::jpeg") x 2, "GET /s"]
--- error_code eval: [200, 200, 200]
--- response_headers eval: ["X-Cost: [upstream yes 1500]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="ok",error_code=""\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 1
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 1500
ktp_saved_calls_total\{client="-",reason="replayed"\} 1
\z/]
--- upstream_calls: 1



=== TEST 13: also of a photo that was paid for in vain
--- http_config eval: main::zones('3m')
--- config eval: $::twice
--- request eval: [("POST /e\n$::jpeg") x 2, "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(200, '{"error_code":"FAIL_ON_1"}')
--- error_code eval: [200, 200, 200]
--- response_headers eval: ["X-Cost: [upstream yes 1500]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="bad_quality",error_code="FAIL_ON_1"\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 1
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 1500
ktp_saved_calls_total\{client="-",reason="replayed"\} 1
\z/]
--- upstream_calls: 1



=== TEST 14: what is free is not saved: the local extractor
--- http_config eval: main::zones('5m')
--- config eval: $::twice
--- request eval: [("POST /e\n$::jpeg") x 2, "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(200, '{"status_code":"LOCAL-0"}')
--- error_code eval: [200, 200, 200]
--- response_headers eval: ["X-Cost: [upstream no 0]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="ok",error_code=""\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 0
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 0
\z/]
--- upstream_calls: 1



=== TEST 15: a code that is not billed
--- http_config eval: main::zones('6m')
--- config eval: $::twice
--- request eval: [("POST /free\n$::jpeg") x 2, "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(400, $::detected)
--- error_code eval: [400, 400, 200]
--- response_headers eval: ["X-Cost: [upstream no 0]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="not_accepted",error_code="KTP_NOT_DETECTED"\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 0
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 0
\z/]
--- upstream_calls: 1



=== TEST 16: one that is
--- http_config eval: main::zones('7m')
--- config eval: $::twice
--- request eval: [("POST /paid\n$::jpeg") x 2, "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(400, $::detected)
--- error_code eval: [400, 400, 200]
--- response_headers eval: ["X-Cost: [upstream yes 1500]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="not_accepted",error_code="KTP_NOT_DETECTED"\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 1
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_cost_total\{client="-",currency="IDR"\} 1500
ktp_saved_calls_total\{client="-",reason="replayed"\} 1
\z/]
--- upstream_calls: 1



=== TEST 17: one that may be
--- http_config eval: main::zones('8m')
--- config eval: $::twice
--- request eval: [("POST /e\n$::jpeg") x 2, "GET /s"]
--- upstream_answer eval
KTP::Upstream::response(400, $::detected)
--- error_code eval: [400, 400, 200]
--- response_headers eval: ["X-Cost: [upstream unknown ]", "X-Cost: [replayed no 0]", ""]
--- response_body_filters eval: main::only('ktp_(?:cost|saved|billable|requests)')
--- response_body_like eval
[qr/^/, qr/^/, qr/\Aktp_requests_total\{client="-",outcome="not_accepted",error_code="KTP_NOT_DETECTED"\} 2
ktp_billable_calls_total\{client="-",billed="yes"\} 0
ktp_billable_calls_total\{client="-",billed="unknown"\} 1
ktp_cost_total\{client="-",currency="IDR"\} 0
ktp_saved_calls_total\{client="-",reason="replayed"\} 1
\z/]
--- upstream_calls: 1
