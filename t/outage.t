# A vendor that is dead for a while, and one that flaps, under a steady rate of
# requests: those for which ktp_breaker lets no call be made do not wait, all
# are answered, and no call is paid for twice.
#
# KTP_OUTAGE_SECONDS (1.5; a full run has 600) is how long it is dead, and twice
# how long it flaps.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{KTP_OUTAGE_SECONDS} || 1.5;
my $slow = $KTP::Nginx::Slow;
my $long = $seconds > 30;
my $turn = $long ? 3 : 0.5 * $slow;
my ($open, $max) = $long ? (500, 2000) : (200 * $slow, 400 * $slow);
my ($clients, $rate) = (10, 50);
my $short = 300 * $slow;

my $reader = KTP::Upstream->new;

# the vendor while it is dead: no connection is refused, or made
my $there = KTP::Nginx::free_port();
my @dead = IO::Socket::INET->new(Listen => 0, LocalAddr => '127.0.0.1',
                                 LocalPort => $there);

for (1 .. 10) {
    push @dead, IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                      PeerPort => $there,
                                      Timeout  => 0.2) || last;
}

plan skip_all => 'the queue of this kernel does not fill up' if @dead > 10;

my $vendor;
my $nginx = KTP::Nginx->new;
my $log = $nginx->prefix . '/logs/outage.log';

start($nginx, $reader->url, dedupe => '', http => <<EOC, server => <<EOC)
    log_format outage '\$uri \$arg_reference_id \$request_time '
                      '\$ktp_source \$ktp_upstream_response_time';
    ktp_connect_timeout ${short}ms;
    ktp_breaker failures=5 window=1m open=${open}ms max=${max}ms;
EOC
    access_log $log outage;
    location = /dead {
        ktp_pass http://127.0.0.1:$there/dead;
        ktp_fallback \@reader;
    }
    location = /flaps {
        ktp_pass http://127.0.0.1:$there/flaps;
        ktp_read_timeout ${short}ms;
        ktp_fallback \@reader on=connect,breaker,timeout,error;
    }
    location \@reader {
        ktp_pass @{[$reader->url]}/x;
        ktp_breaker off;
        ktp_connect_timeout 10s;
        ktp_read_timeout 10s;
    }
EOC
    or BAIL_OUT($nginx->complaint);

my $port = $nginx->{flights_port};

# a worker that begins has fewer
$nginx->settle;
my $free = { map { $_ => descriptors($_) } $nginx->workers };

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }

# Requests at the rate, each by a client that is free then, until the code has
# come to its end; {id, seconds, source, call, start, end} of each, in the order
# of the log.  Start and end are those of the client: the cached times of workers
# have no order.
sub steadily {
    my ($uri, $during) = @_;

    my $stop = KTP::Nginx::scratch_dir() . '/stop';
    my $began = time();
    my ($lines, $failed) = processes($clients, sub {
        my ($i) = @_;
        my (%client, @lines);

        close $_ for @dead;

        for (my $n = 0; !-e $stop; $n++) {
            my $wait = $began + ($n + $i / $clients) * $clients / $rate - time();

            sleep $wait if $wait > 0;

            my $id = substr($uri, 1) . "-$i-$n";
            my $start = time();
            my $got = client_post(\%client, $port, "$uri?reference_id=$id",
                                  ['image/jpeg', photo($n * $clients + $i)]);

            push @lines, sprintf '%s %.6f %.6f %d %d', $id, $start, time(),
                                 $got->{status}, $got->{again};
        }

        return @lines;
    }, sub {
        $during->();
        KTP::Nginx::write_file($stop, '');
    });

    is($failed, 0, "$uri: the clients ended well");
    is_deeply([grep { !/ 200 0$/ } @$lines], [], "$uri: all are answered");

    my %sent = map {; my ($id, @times) = split; $id => \@times } @$lines;
    my @ended;

    KTP::Nginx::wait_for(sub { @ended = ended($uri); @ended >= keys %sent });

    is(scalar(grep { $sent{ $_->{id} } } @ended), scalar(@$lines),
       "$uri: and logged once");

    return map {
        my ($start, $end) = @{ $sent{ $_->{id} } };

        +{ %$_, start => $start, end => $end };
    } @ended;
}

sub ended {
    my ($uri) = @_;

    return map {
        my %line;
        @line{qw(uri id seconds source call)} = split;
        \%line;
    } grep { /^$uri / } split /\n/, KTP::Nginx::read_file($log);
}

# How often the breaker of a location did that.
sub changes {
    my ($uri, $what) = @_;

    return scalar(() = $nginx->log_from =~
                  /breaker of upstream "[^"]*$uri" is $what/g);
}

# Those that the vendor has charged, and how often.
sub paid {
    my %paid;

    $paid{$_}++ for grep { /^$_[0]-/ } $vendor->charged;

    return \%paid;
}

sub figures {
    my ($name, @lines) = @_;

    my @times = sort { $a <=> $b } map { $_->{seconds} } @lines;

    diag(sprintf '%s: %d requests, median %.0f ms, 99 %% %.0f ms, longest '
                 . '%.0f ms', $name, scalar @times,
                 map { 1000 * $times[$_ * $#times] } 0.5, 0.99, 1)
        if $long && @times;
}


# -- a vendor that is dead, and comes back

my $back;
my @lines = steadily('/dead', sub {
    sleep $seconds;
    $back = time();
    close $_ for splice @dead;
    $vendor = KTP::Upstream->new(port => $there,
                                 answer => [{ vendor => 'paid' }]);
    ok(KTP::Nginx::wait_for(sub { changes('/dead', 'closed') }),
       'dead: the breaker is closed again');
    sleep 0.5 * $slow;
});

# the first answer for which no call was made
my ($refused) = sort { $a->{end} <=> $b->{end} }
               grep { $_->{call} eq '-' } @lines;
my @calls = grep { $_->{call} ne '-' } @lines;
my @down = grep { $_->{end} < $back } @lines;

ok($refused, 'dead: the breaker opened') or BAIL_OUT('it did not');
is(changes('/dead', 'open for'), 1, 'dead: once');
is_deeply([grep { $_->{source} ne 'fallback' } @down], [],
          'dead: all are answered by the fallback, and marked');
cmp_ok(scalar(grep { $_->{start} > $refused->{end} && $_->{call} ne '-' }
              @down), '<=', changes('/dead', 'half-open'),
       'dead: then calls are trials only, others do not wait for one');
cmp_ok(scalar(grep { $_->{start} <= $refused->{end} } @calls), '>=', 5,
       'dead: after five failures');

my $paid = paid('dead');
my ($trial) = sort { $a->{end} <=> $b->{end} }
              grep { $_->{source} eq 'upstream' } @lines;

ok($trial, 'dead: the vendor answers when it is back')
    or BAIL_OUT('it does not');
is(($vendor->charged)[0], $trial->{id}, 'dead: one call was made first');
is(changes('/dead', 'closed'), 1, 'dead: it closed the breaker');
is_deeply([grep { $_->{start} > $trial->{end} && $_->{source} ne 'upstream' }
           @lines], [], 'dead: after it, the vendor answers all');
is_deeply([grep { $paid->{$_} > 1 } keys %$paid], [],
          'dead: no call is paid for twice');
is_deeply([sort keys %$paid],
          [sort map { $_->{id} } grep { $_->{source} eq 'upstream' } @lines],
          'dead: the vendor has charged those that it answered');

figures('dead, a call was made', grep { $_->{call} ne '-' } @down);
figures('dead, no call was made', grep { $_->{call} eq '-' } @down);
diag(scalar(@down) . ' requests, ' . changes('/dead', 'half-open')
     . ' trials, ' . keys(%$paid) . ' calls charged') if $long;


# -- a vendor that flaps

my @ways = (
    [{ accept => 1 }, { reset => 1 }],
    [KTP::Upstream::response('503 Down', '{"message":"down"}')],
    [{ hang => 1 }],
    [{ hang => 1 }, { vendor => 'paid' }],
    [{ reset => 1 }, { vendor => 'paid' }],
);

@lines = steadily('/flaps', sub {
    my $until = time() + $seconds / 2;

    for (my $n = 0; $n < @ways || time() < $until; $n++) {
        $vendor->answer(@{ $ways[$n % @ways] });
        sleep $turn;
        $vendor->answer({ vendor => 'paid' });
        sleep $turn;
    }
});

$paid = paid('flaps');

my %source;
push @{ $source{ $_->{source} } }, $_ for @lines;

is_deeply([sort keys %source], ['fallback', 'upstream'],
          'flaps: one of the two answers, and is marked');
cmp_ok(changes('/flaps', 'open '), '>', 1, 'flaps: the breaker opens');
cmp_ok(changes('/flaps', 'closed'), '>', 1, 'flaps: and is closed again');
is_deeply([grep { $paid->{$_} > 1 } keys %$paid], [],
          'flaps: no call is paid for twice');
is_deeply([grep { !$paid->{ $_->{id} } } @{ $source{upstream} }], [],
          'flaps: what the vendor answered is charged');
is_deeply([grep { $paid->{ $_->{id} } && $_->{call} eq '-' } @lines], [],
          'flaps: where no call was made, nothing is');

figures('flaps, a call was made', grep { $_->{call} ne '-' } @lines);
figures('flaps, no call was made', grep { $_->{call} eq '-' } @lines);
diag(join ', ', map({ "$_: " . @{ $source{$_} } } sort keys %source),
     keys(%$paid) . ' calls charged', changes('/flaps', 'open ') . ' openings',
     changes('/flaps', 'closed') . ' closings') if $long;

# connections are kept for a while
ok(KTP::Nginx::wait_for(sub {
    !grep { descriptors($_) > $free->{$_} + 2 * $clients } $nginx->workers
}), 'descriptors are back');

$nginx->stop('QUIT');
unlike($nginx->log_from, qr/\[(?:alert|emerg|crit)\]/, 'nothing alarming');

done_testing();
