# Memory that is short: calls end at once with an error, and the worker serves
# when there is memory again.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $up = KTP::Upstream->new;
my $url = $up->url;

my $nginx = start();

sub start {
    my $new = KTP::Nginx->new(nomem => 1);
    my $conf = $new->config(main => KTP::load_module(), log_level => 'info',
                            server => <<"EOC");
        location = /fresh { ktp_pass $url/x; ktp_keepalive 0; }
        location = /kept { ktp_pass $url/x; }
        location = /fetch {
            ktp_pass $url/x;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.0/8;
        }
EOC

    $new->start($conf) or BAIL_OUT($new->complaint);

    return $new;
}

my $small = json_body(jpeg(800, 600));
my $large = json_body(jpeg(800, 600, size => 2_000_000));
my @ways = (['/fresh', $small], ['/kept', $small], ['/kept', $large],
            ['/fetch', "{\"image\":\"$url/a.jpg\"}"]);

# all at once: what is kept in reserve is used up on the way
sub round {
    my ($n, @ways) = @_;

    $up->reset;
    $up->answer({ delay => 0.1 },
                KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

    my @calls = map { post_begin($nginx->port, @$_) } (@ways) x $n;

    for my $call (@calls) {
        next if length $call->{out} > 100_000;
        syswrite $call->{sock}, $call->{out};
        $call->{out} = '';
    }

    return map { answer_of($_) } @calls;
}

# the pid file is there before the process has its own memory
is(post($nginx->port, '/fresh', $small)->{status}, 200, 'there is memory');

for ([1, @ways], [5, @ways], [25, @ways]) {
    my ($n, @these) = @$_;

    $nginx->nomem(1);

    my @got = round($n, @these);
    my @wrong = grep { $_->{status} !~ /^(?:200|400|50[0-3])$/
                       || $_->{seconds} > 20 * $slow } @got;

    is(scalar @wrong, 0, "$n of each: all are answered, and soon")
        or diag(join "\n", map { "$_->{status} $_->{seconds}" } @wrong);
    cmp_ok(scalar(grep { $_->{status} >= 500 } @got), '>', 0,
           "$n of each: some are refused");

    $nginx->nomem(0);
    $up->reset;

    is(post($nginx->port, '/fresh', $small)->{status}, 200,
       "there is memory again after $n");
    is(post($nginx->port, '/kept', $large)->{status}, 200,
       "also for a large image, after $n");
}

# a call begins only if there is memory for it and for those begun before it,
# however much of a region the calls before have left

for my $before (1, 5, 8, 12) {
    $nginx = start();
    round($before, $ways[3]);
    $nginx->nomem(1);

    my %statuses = map { $_->{status} => 1 } round(200, $ways[3]);
    my $log = $nginx->log_from;

    is(join(' ', sort keys %statuses), '400 500',
       "200 after $before: some downloads begin, others are refused");
    unlike($log, qr/Out of memory/, "200 after $before: what begins ends well");
    unlike($log, qr/exited on signal/, "200 after $before: no crash");

    $nginx->nomem(0);
}

done_testing();
