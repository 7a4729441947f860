package KTP;

# What the .t files in Test::Nginx format share: the module under test is
# loaded, a scripted upstream listens at $TEST_NGINX_UPSTREAM, and a block
# may say what the upstream does and what it must have got:
#
#   --- upstream_answer      the whole response, or an array of steps
#                            (KTP::Upstream::answer)
#   --- upstream_calls       count of whole requests that it got
#   --- upstream_body        body of its last request
#   --- upstream_head_like   pattern in the last request's head
#   --- upstream_head_unlike
#
# "use KTP ();" only makes Test::Nginx::Socket found: the real module where
# it is installed, and the small runner of this folder where it is not.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $Lib;

BEGIN {
    $Lib = dirname(abs_path(__FILE__));

    my %own = map { $_ => 1 } $Lib, 't/lib';
    @INC = ((grep { !$own{$_} } @INC), $Lib);

    require KTP::Nginx;

    # the real module takes these from the environment
    my $port = KTP::Nginx::free_port();
    $ENV{TEST_NGINX_SERVER_PORT} ||= "127.0.0.1:$port";
    ($ENV{TEST_NGINX_CLIENT_PORT}) = $ENV{TEST_NGINX_SERVER_PORT} =~ /(\d+)$/;
    $ENV{TEST_NGINX_SERVROOT} ||= KTP::Nginx::scratch_dir() . '/servroot';
    $ENV{TEST_NGINX_NO_SHUFFLE} = 1;
}

use KTP::Upstream;

our $App_id = 'canary-app-id';
our $Api_key = 'canary-api-key';
our $Upstream;


sub import {
    require Test::Nginx::Socket;

    my $dir = KTP::Nginx::scratch_dir();

    $Upstream = KTP::Upstream->new;

    $ENV{TEST_NGINX_DIR} = $dir;
    $ENV{TEST_NGINX_UPSTREAM} = $Upstream->url;
    $ENV{TEST_NGINX_APP_ID} = $App_id;
    $ENV{TEST_NGINX_API_KEY} = $Api_key;

    Test::Nginx::Socket::add_block_preprocessor(\&prepare);
    Test::Nginx::Socket::add_test_cleanup_handler(\&check_upstream);
    Test::Nginx::Socket::add_test_cleanup_handler(\&check_alerts);
}


sub load_module {
    return 'load_module ' . KTP::Nginx::build_dir()
         . '/ngx_http_ktp_module.so;';
}


sub prepare {
    my ($block) = @_;

    $block->set_value(main_config => load_module() . "\n"
                                     . ($block->main_config // ''))
        unless defined $block->stock;

    $Upstream->reset;

    my $answer = $block->upstream_answer;
    $Upstream->answer(ref $answer eq 'ARRAY' ? @$answer : $answer)
        if defined $answer;
}


# Runs after the assertions of the runner.
sub check_upstream {
    my ($block) = @_;

    my $name = $block->name;

    # one whose answer nginx did not wait for may be on its way
    $Upstream->wait_calls($block->upstream_calls)
        if defined $block->upstream_calls;

    my @calls = $Upstream->calls;
    my $last = $calls[-1] || { head => '', body => '' };

    Test::More::is(scalar @calls, $block->upstream_calls,
                   "$name - calls of the upstream")
        if defined $block->upstream_calls;

    if (defined(my $want = $block->upstream_body)) {
        Test::More::ok($last->{body} eq $want,
                       "$name - body that the upstream got")
            or Test::More::diag(sprintf 'got %d bytes: %.200s',
                                length $last->{body}, $last->{body});
    }

    Test::More::like($last->{head}, qr/$_/m, "$name - head at the upstream")
        for patterns($block->upstream_head_like);
    Test::More::unlike($last->{head}, qr/$_/m,
                       "$name - head at the upstream has none")
        for patterns($block->upstream_head_unlike);
}


# nginx has no reason for an alert in any block that does not ask for one.
# No assertion when all is well: the count stays that of the sections.
sub check_alerts {
    my ($block) = @_;

    my $asked = join '', grep { defined } $block->error_log;
    my $log = KTP::Nginx::read_file(
        Test::Nginx::Socket::server_root() . '/logs/error.log');

    return if defined $block->must_die;

    for my $line ($log =~ /^(.*\[(?:alert|crit|emerg)\].*)$/mg) {
        Test::More::fail($block->name . ' - ' . $line)
            if $asked !~ /\[(?:alert|crit|emerg)/;
    }
}


# A section of patterns: one a line.
sub patterns {
    my ($value) = @_;

    return () unless defined $value;
    return ref $value eq 'ARRAY' ? @$value : $value if ref $value;

    return grep { $_ ne '' } split /\n+/, $value;
}


1;
