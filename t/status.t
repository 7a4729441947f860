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

# more clients than there is room for
our $sixteen = join "\n", 'ktp_zone ktp:32k;',
                          map { "ktp_client c$_ { }" } 1 .. 16;
our @twice_each = map { "POST /e?c=c$_\n$jpeg" } 1 .. 16, 1 .. 16;

# how many of them have rows of their own, and what all rows come to
sub apart {
    my ($text) = @_;

    my %calls = $text =~ /^ktp_requests_total\{client="([^"]+)",[^}]*\} (\d+)/mg;
    my $sum = 0;
    $sum += $_ for values %calls;

    return '' unless %calls;
    return scalar(grep { /^c/ } keys %calls) . " apart, sum $sum, together "
         . ($calls{'*'} || 0);
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => $http) unless defined $block->http_config;
    $block->set_value(config => $config) unless defined $block->config;
    $block->set_value(more_headers => 'Content-Type: image/jpeg');
});

run_tests();

__DATA__

=== TEST 1: requests by outcome and code
--- request eval
["POST /e\n$::jpeg", "POST /e\nno image", "POST /e\n$::jpeg", "GET /e",
 "GET /s"]
--- error_code eval: [200, 400, 200, 405, 200]
--- response_body_filters eval
main::only('ktp_requests_total|ktp_bill|ktp_upstream_calls\S+(?:ok|rejected|timeout)"')
--- response_body_like eval
[qr/^$/, qr/^$/, qr/^$/, qr/^$/,
qr/\Aktp_requests_total\{client="-",outcome="ok",error_code=""\} 2
ktp_requests_total\{client="-",outcome="rejected",error_code="INVALID_PAYLOAD_IMAGE_FORMAT"\} 1
ktp_requests_total\{client="-",outcome="rejected",error_code="METHOD_NOT_ALLOWED"\} 1
ktp_upstream_calls_total\{outcome="ok"\} 2
ktp_upstream_calls_total\{outcome="rejected"\} 0
ktp_upstream_calls_total\{outcome="timeout"\} 0
ktp_billable_calls_total\{client="-",billed="yes"\} 2
ktp_billable_calls_total\{client="-",billed="unknown"\} 0
ktp_billed_calls_total\{client="-",outcome="ok"\} 2
\z/]
--- upstream_calls: 2



=== TEST 2: codes of the upstream, and those that it made up as one
--- http_config
    ktp_zone ktp:2m;
--- request eval: ["POST /e\n$::jpeg", "GET /s"]
--- upstream_answer eval: KTP::Upstream::response(200, $::answer)
--- error_code eval: [200, 200]
--- response_body_filters eval: main::only('ktp_requests_total')
--- response_body_like eval
[qr/^/, qr/\Aktp_requests_total\{client="-",outcome="ok",error_code="other"\} 1\n\z/]



=== TEST 3: only what is read
--- request eval: ["HEAD /s", "POST /s\nx", "GET /s?format=xml"]
--- error_code eval: [200, 405, 200]
--- response_headers_like eval
[('Content-Type: ^text/plain; version=0\.0\.4; charset=utf-8$'), '',
 'Content-Type: ^text/plain; version=0\.0\.4; charset=utf-8$']



=== TEST 4: sizes, bytes and calls
--- http_config
    ktp_zone ktp:3m;
--- request eval: ["POST /e\n$::jpeg", "GET /s"]
--- response_body_filters eval
main::only('ktp_image_size_bytes_(?:sum|count)|ktp_image_size_bytes_bucket\{le="50000"|'
           . 'ktp_upstream_(?:rec|ret|dur.*(?:count|Inf)|conn)|'
           . 'ktp_calls|ktp_workers|ktp_request_dur.*count')
--- response_body_like eval
[qr/^/, qr/\Aktp_calls_in_flight 0
ktp_upstream_connections 1
ktp_upstream_connections_opened_total 1
ktp_workers 1
ktp_upstream_retries_total 0
ktp_upstream_received_bytes_total ${\ length $KTP::Upstream::Body}
ktp_request_duration_seconds_count 1
ktp_upstream_duration_seconds_bucket\{le="\+Inf"\} 1
ktp_upstream_duration_seconds_count 1
ktp_image_size_bytes_bucket\{le="50000"\} 1
ktp_image_size_bytes_sum $::size
ktp_image_size_bytes_count 1
\z/]



=== TEST 5: the same as JSON
--- request eval: ["POST /e\n$::jpeg", "GET /s?format=json"]
--- error_code eval: [200, 200]
--- response_headers eval
['', "Content-Type: application/json\nCache-Control: no-store"]
--- response_body_like eval
[qr/^/, qr/\A\{"ktp_requests_total":\[\{"client":"-","outcome":"ok","error_code":"","value":1\}\],.*"ktp_image_size_bytes":\[\{"sample":"bucket","le":"50000","value":1\},.*\{"sample":"sum","value":$::size\},\{"sample":"count","value":1\}\]\}\z/]



=== TEST 6: clients by their names, and what their quotas leave
--- http_config eval
qq{
    ktp_zone ktp:5m;
    ktp_client one { quota 3/day; quota 100/total; }
    ktp_client two { quota 7/day shadow; }
    ktp_client free { }
    ktp_client never { quota 5/day; }
}
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_auth $arg_c;
    }
    location = /s { ktp_status; }
--- request eval
["POST /e?c=one\n$::jpeg", "POST /e?c=two\n$::jpeg", "POST /e?c=no\n$::jpeg",
 "POST /e?c=one\n$::jpeg", "POST /e?c=free\n$::jpeg",
 "POST /e?c=free\nno image", "GET /s"]
--- error_code eval: [200, 200, 403, 200, 200, 400, 200]
--- response_body_filters eval
main::only('ktp_requests_total|ktp_client|ktp_billable.*yes')
--- response_body_like eval
[(qr/^/) x 6,
qr/\A(?=.*client="one",outcome="ok",error_code=""\}\s2\n)
(?=.*client="two",outcome="ok",error_code=""\}\s1\n)
(?=.*client="-",outcome="unauthorized",error_code="FORBIDDEN"\}\s1\n)
(?=.*billable_calls_total\{client="one",billed="yes"\}\s2\n)
(?=.*client_calls\{client="one",period="day"\}\s2\n)
(?=.*client_calls\{client="two",period="month"\}\s1\n)
(?=.*client_calls\{client="free",period="day"\}\s1\n)
(?=.*client_calls\{client="free",period="month"\}\s1\n)
(?=.*client_calls\{client="free",period="total"\}\s1\n)
(?!.*client_calls\{client="-")
(?=.*quota_limit_calls\{client="one",period="day"\}\s3\n)
(?=.*quota_used_calls\{client="one",period="day"\}\s2\n)
(?=.*quota_left_calls\{client="one",period="day"\}\s1\n)
(?=.*quota_left_calls\{client="one",period="total"\}\s98\n)
(?=.*quota_left_calls\{client="two",period="day"\}\s6\n)
(?!.*never)/sx]



=== TEST 7: what nginx refuses before it comes to us
--- http_config
    ktp_zone ktp:6m;
    limit_req_zone $server_name zone=one:1m rate=1r/m;
    limit_req_status 429;
--- config
    location = /denied {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        deny all;
    }
    location = /limited {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        limit_req zone=one;
    }
    location = /missing {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_json_errors off;
        return 404;
    }
    location = /s { ktp_status; }
--- request eval
["POST /denied\n$::jpeg", "POST /limited\n$::jpeg", "POST /limited\n$::jpeg",
 "POST /missing\n$::jpeg", "GET /s"]
--- error_code eval: [403, 200, 429, 404, 200]
--- response_body_filters eval: main::only('ktp_requests_total')
--- response_body_like eval
[(qr/^/) x 4,
qr/\A(?=.*outcome="ok",error_code=""\}\s1\n)
(?=.*outcome="unauthorized",error_code="FORBIDDEN"\}\s1\n)
(?=.*outcome="quota",error_code="TOO_MANY_REQUESTS"\}\s1\n)
(?=.*outcome="rejected",error_code="NOT_FOUND"\}\s1\n)
(?:[^\n]*\n){4}\z/sx]
--- upstream_calls: 1



=== TEST 8: clients that the zone has no room for are counted together
--- http_config eval: $::sixteen
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_auth $arg_c;
    }
    location = /s { ktp_status; }
--- request eval
[@::twice_each, 'GET /s']
--- error_code eval: [(200) x 33]
--- response_body_filters eval: \&main::apart
--- response_body_like eval
[(qr/^$/) x 32, qr/^(?!0 |16 )\d+ apart, sum 32, together [1-9]/]
--- no_error_log
[crit]
[alert]
