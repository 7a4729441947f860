# The runner of this folder, tried on nginx itself.  The blocks pass under
# the real Test::Nginx::Socket too.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use POSIX ();
use Test::Nginx::Socket 'no_plan';

# a .t of one block, run in a child: its TAP and how it ended
sub run_child {
    my ($sections, $code) = @_;

    my $file = KTP::Nginx::scratch_dir() . '/child.t';

    KTP::Nginx::write_file($file, join "\n",
        q(use lib 't/lib'; use KTP ();),
        q(use Test::Nginx::Socket 'no_plan';),
        $code // '', 'run_tests();', '__DATA__',
        "=== child\n$sections");

    # what never comes need not be waited for long
    my $tap = `TEST_NGINX_TIMEOUT=0.5 $^X $file 2>&1`;

    return ($tap, $?);
}

# what an expectation that is not met makes of a block that is fine
my $fine = <<'EOS';
--- config
    location = /t { add_header X-A one; return 200 "body\n"; }
--- request
GET /t
EOS

my @fails = (
    ['error_code', "--- error_code: 404\n"],
    ['error_code_like', "--- error_code_like: ^4\n"],
    ['response_body', "--- response_body\nother\n"],
    ['response_body_like', "--- response_body_like: ^other\n"],
    ['response_body_unlike', "--- response_body_unlike: bod\n"],
    ['response_headers', "--- response_headers\nX-A: two\n"],
    ['absent header', "--- response_headers\n! X-A\n"],
    ['response_headers_like', "--- response_headers_like\nX-A: t\n"],
    ['error_log', "--- error_log\nno such line\n"],
    ['no_error_log', "--- no_error_log\nhttp request line\n"],
    ['grep_error_log', "--- grep_error_log: http request line\n"
                       . "--- grep_error_log_out\nnothing\n"],
    ['response_body_filters', "--- response_body_filters: uc\n"
                              . "--- response_body\nbody\n"],
    ['tcp_query_len', "--- tcp_listen: \$TEST_NGINX_RAND_PORT_1\n"
                      . "--- tcp_query_len: 4\n--- tcp_reply: x\n"],
    ['must_die', "--- must_die\n"],
);

my ($tap, $status) = run_child("$fine--- response_body\nbody\n");

is($status, 0, 'a block that is fine passes');
unlike($tap, qr/^not ok/m, 'with no assertion failed');

for my $case (@fails) {
    my ($name, $sections) = @$case;

    ($tap, $status) = run_child($fine . $sections);
    like($tap, qr/^not ok/m, "$name that is not met fails");
    isnt($status, 0, "$name that is not met is told by the exit code");
}

($tap) = run_child(<<'EOS');
--- config
    location = /t { proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1; }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply_delay: 30s
--- tcp_reply: x
--- request
GET /t
--- timeout: 200ms
EOS
like($tap, qr/^not ok .*client socket timed out/m,
     'a server that says nothing fails the block');

# what an instrumented nginx reports
($tap, $status) = run_child("$fine--- response_body\nbody\n", <<'EOC');
KTP::Nginx::write_file(KTP::Nginx::reports_dir() . '/asan.1',
                       'ERROR: AddressSanitizer: something');
EOC
isnt($status, 0, 'a report of a sanitizer is told by the exit code');
like($tap, qr/^# ERROR: AddressSanitizer: something/m, 'and is shown');

# two scripts at a time, which begin to look at the same port
{
    my $end = KTP::Nginx::scratch_dir() . '/end';
    my (%drawn, @from);

    for (1, 2) {
        my $pid = open(my $from, '-|') // die "fork: $!\n";

        unless ($pid) {
            syswrite STDOUT, join ' ', map { KTP::Nginx::free_port() } 1 .. 20;
            close STDOUT;
            KTP::Nginx::wait_for(sub { -e $end });
            POSIX::_exit(0);
        }

        $drawn{$_}++ for split ' ', <$from>;
        push @from, $from;
    }

    KTP::Nginx::write_file($end, '');
    close $_ for @from;
    is(scalar keys %drawn, 40, 'scripts are given different ports');
}

# a program that hangs does not hang the run
{
    my $dir = KTP::Nginx::scratch_dir();

    KTP::Nginx::write_file("$dir/hangs.t", <<'EOC');
use lib 't/lib'; use KTP::Nginx; use Test::More;
my $nginx = KTP::Nginx->new;
ok($nginx->start($nginx->config));
KTP::Nginx::write_file("$ENV{KTP_HANGS}/pid", $nginx->pid);
sleep while 1;
EOC
    local $ENV{KTP_HANGS} = $dir;
    local $ENV{KTP_TEST_LIMIT} = 10;

    my $said = `scripts/run-tap $dir/tally $dir/hangs.t 2>&1`;
    my $pid = KTP::Nginx::read_file("$dir/pid");
    my $variant = $ENV{KTP_VARIANT} ? "KTP_VARIANT=$ENV{KTP_VARIANT} " : '';

    isnt($?, 0, 'a program that hangs is a failure');
    like($said, qr/timeout: sending signal TERM/, 'which is told');
    is(KTP::Nginx::read_file("$dir/tally"),
       "$variant$dir/hangs.t\n    No plan found in TAP output\n"
       . "    exit status 124\n1 1 0\n", 'named and counted');
    ok($pid && KTP::Nginx::is_gone($pid), 'it leaves no nginx');
}

# the end of a log says once more what failed, by its name
{
    my $dir = KTP::Nginx::scratch_dir();

    KTP::Nginx::write_file("$dir/$_->[0].t", "print <<'EOT'; $_->[2]\n"
                           . join("\n", @{ $_->[1] }) . "\nEOT\n")
        for ['fine', ['1..2', 'ok 1', 'not ok 2 - later # TODO'], ''],
            ['two', ['1..4', 'ok 1 - a', 'not ok 2 - b, and b',
                     'ok 3 # skip no c', 'not ok 4'], 'exit 2'],
            ['many', ['1..9', map { "not ok $_ - m$_" } 1 .. 9], ''],
            ['broken', ['1..3', 'ok 1 - a'], ''],
            ['report', ['1..1', 'ok 1'], 'exit 1'];

    KTP::Nginx::write_file("$dir/tally", "10 0 1\nmake lint\n0 1 0\n");

    {
        local $ENV{KTP_VARIANT} = 'asan';
        my $files = join ' ', map { "$dir/$_.t" }
                    qw(fine two many broken report);
        `scripts/run-tap $dir/tally $files 2>&1`;
    }

    isnt($?, 0, 'assertions that fail are told by the exit code');

    my $said = `scripts/tally $dir/tally`;

    is($said, <<"EOS", 'and named at the end, with the count');
Failed:
make lint
KTP_VARIANT=asan $dir/two.t
    not ok 2 - b, and b
    not ok 4
KTP_VARIANT=asan $dir/many.t
    not ok 1 - m1
    not ok 2 - m2
    not ok 3 - m3
    not ok 4 - m4
    not ok 5 - m5
    and 4 more
KTP_VARIANT=asan $dir/broken.t
    Bad plan.  You planned 3 tests but ran 1.
KTP_VARIANT=asan $dir/report.t
    exit status 1
15 passed, 14 failed, 2 skipped
EOS
    isnt($?, 0, 'which fails too');

    KTP::Nginx::write_file("$dir/tally", "10 0 1\n2 0 0\n");
    is(`scripts/tally $dir/tally`, "12 passed, 0 failed, 1 skipped\n",
       'nothing is named if nothing failed');
    is($?, 0, 'which is a success');

    KTP::Nginx::write_file("$dir/tally", '');
    is(`scripts/tally $dir/tally`, "0 passed, 0 failed, 0 skipped\n",
       'no assertion at all');
    isnt($?, 0, 'is none');
}

# the real module tries a bad configuration for 30 seconds
unless ($INC{'Test/Nginx/Util.pm'}) {
    ($tap, $status) = run_child("--- config\n    nonsense on;\n"
                                . "--- request\nGET /\n");
    like($tap, qr/^not ok .*unknown directive "nonsense"/m,
         'a bad configuration fails with the reason');
    isnt($status, 0, 'and is told by the exit code');
}

repeat_each(2);
run_tests();

__DATA__

=== TEST 1: a body, a header, a status
--- config
    location = /t {
        add_header X-A one;
        return 201 "hello\n";
    }
--- request
GET /t
--- error_code: 201
--- response_headers
X-A: one
! X-B
--- response_body
hello
--- no_error_log
[error]



=== TEST 2: the configuration before is used again
--- request
GET /t
--- error_code_like: ^2..$
--- response_headers_like
X-A: o.e
--- response_body_like: ^hel
--- response_body_filters: lc



=== TEST 3: one of many requests, each with its expectation
--- config
    location = /a { return 200 "a\n"; }
    location = /b { return 202 "b\n"; }
--- request eval
["GET /a", "GET /b"]
--- error_code eval
[200, 202]
--- response_body eval
["a\n", "b\n"]



=== TEST 4: pipelined requests
--- config
    location = /a { return 200 "a\n"; }
    location = /b { return 202 "bb\n"; }
--- pipelined_requests eval
["GET /a", "GET /b", "GET /a"]
--- error_code eval
[200, 202, 200]
--- response_body eval
["a\n", "bb\n", "a\n"]



=== TEST 5: packets of a request
--- config
    location = /t { return 200 "$http_content_length $http_x_a\n"; }
--- more_headers
X-A: 1
--- request eval
[["POST", " /t\n", {value => "abc", delay_before => 0.05}, "def"]]
--- response_body eval
["6 1\n"]



=== TEST 6: a raw request in pieces
--- config
    location = /t { return 200 "$http_x_b\n"; }
--- raw_request eval
["GET /t HTTP/1.1\r\nHost: localhost\r\nConn", "ection: close\r\nX-B: 2\r\n",
 "\r\n"]
--- raw_request_middle_delay: 0.05
--- response_body
2



=== TEST 7: a server on TCP answers by code
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
qr{^GET /t HTTP/1\.[01]\r\n}
--- tcp_reply eval
sub { "HTTP/1.0 200 OK\r\n\r\n" . ($_[0] =~ /GET (\S+)/)[0] }
--- request
GET /t
--- response_body chomp
/t



=== TEST 8: an upstream that stays silent
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        proxy_read_timeout 100ms;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply_delay: 10s
--- tcp_reply: x
--- request
GET /t
--- error_code: 504
--- error_log eval
["upstream timed out", qr/110: Connection/]
--- no_error_log
[alert]
[crit]



=== TEST 9: a client that gives up
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply_delay: 10s
--- tcp_reply: x
--- request
GET /t
--- timeout: 200ms
--- abort
--- wait: 0.05
--- ignore_response
--- no_error_log
[alert]



=== TEST 10: user files, and the order of main and http
--- main_config
env KTP_NO_SUCH_VARIABLE;
--- http_config
    map $arg_a $b { default "none"; x "yes"; }
--- config
    location = /t { add_header X-B $b; root html; try_files /a.txt =404; }
--- user_files
>>> a.txt
first line
>>> d/b.txt
second
--- request
GET /t?a=x
--- response_headers
X-B: yes
--- response_body
first line



=== TEST 11: a configuration that must not start
--- config
    keepalive_timeout nonsense;
--- must_die
--- error_log
[emerg]
invalid value
--- no_error_log
[alert]



=== TEST 12: the exit code of one that does not start
--- config
    keepalive_timeout nonsense;
--- must_die: 1
--- error_log eval
qr/"keepalive_timeout" directive|invalid value/



=== TEST 13: patterns that are cut out of the log
--- config
    location = /t { return 204; }
--- request
GET /t?12
--- error_code: 204
--- response_body
--- grep_error_log eval
qr/http request line: "[^"]+"/
--- grep_error_log_out
http request line: "GET /t?12 HTTP/1.1"



=== TEST 14: log level of a block
--- log_level: warn
--- config
    location = /t { return 200 "x\n"; }
--- request
GET /t
--- response_body
x
--- no_error_log
[debug]



=== TEST 15: a HEAD request
--- config
    location = /t { return 200 "x\n"; }
--- request
HEAD /t
--- response_headers
Content-Length: 2
--- response_body



=== TEST 16: the client closes its writing side
--- config
    location = /t { return 200 "x\n"; }
--- request
GET /t
--- shutdown
--- response_body
x



=== TEST 17: access log
--- config
    location = /t { return 200 "x\n"; }
--- request
GET /t?access
--- access_log
GET /t?access
--- no_access_log
GET /other
