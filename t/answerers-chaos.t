# All answerers misbehave at random, clients come and go, workers are killed and
# replaced: every request has one answer or one abort, no call is made twice,
# and nothing is left.
#
# KTP_ANSWERERS_REQUESTS (600; a full run has 20000) and KTP_CHAOS_SEED choose
# another run.

use strict;
use warnings;

use lib 't/lib';
use IO::Select;
use KTP::Client;
use KTP::Flights;
use KTP::Image;
use KTP::Nginx;
use KTP::Reader;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{KTP_CHAOS_SEED} || 20260101;
my $requests = $ENV{KTP_ANSWERERS_REQUESTS} || 600;
my $long = $requests > 2000;
my $images = int $requests / 20;
my $slow = $KTP::Nginx::Slow;
my $clients = 16;
my $workers = 3;
my ($read, $whole, $check) = map { $_ * $slow } 250, 500, 150;

# what all may take who are asked for one request, after a wait for that of a
# leader that failed; and a busy machine
my $longest = (2 * ($check + 3 * $whole)) / 1000 + 10 * $slow;

my %up = map { $_ => KTP::Upstream->new } qw(vendor checker reader);
my $nginx = KTP::Nginx->new;
my $log = $nginx->prefix . '/logs/answerers.log';
my %url = map { $_ => $up{$_}->url } keys %up;

start($nginx, $url{vendor}, workers => $workers, zone => '32m', http => <<EOC,
    log_format answerers '\$uri \$arg_id \$arg_image \$status '
                         '\$ktp_outcome \$ktp_billed \$ktp_source '
                         '\$ktp_upstream_response_time';
    ktp_dedupe off;
    ktp_connect_timeout ${read}ms;
    ktp_read_timeout ${read}ms;
    ktp_timeout ${whole}ms;
    ktp_keepalive_timeout 1s;
EOC
      dedupe => '', server => <<EOC) or BAIL_OUT($nginx->complaint);
    access_log $log answerers;

    location = /all {
        ktp_pass $url{vendor}/all;
        ktp_dedupe on reference_id=ignore;
        ktp_precheck \@checker timeout=${check}ms;
        ktp_first \@reader confidence=0.9;
        ktp_fallback \@reader on=connect,breaker,refused,timeout,error;
        ktp_shadow \@reader;
    }
    location = /alone {
        ktp_pass $url{vendor}/alone;
        ktp_breaker failures=10 window=1s open=50ms max=100ms;
        ktp_precheck \@checker timeout=${check}ms;
        ktp_fallback \@reader;
        ktp_shadow \@reader sample=50%;
    }
    location = /held {
        ktp_pass $url{vendor}/held;
        ktp_ignore_client_abort on;
        ktp_request_buffering off;
        ktp_precheck \@checker shadow;
        ktp_first \@reader confidence=0.9 fields=nik,full_name;
        ktp_fallback \@reader on=error,timeout;
    }
    location = /shadow {
        ktp_pass $url{vendor}/shadow;
        ktp_shadow \@reader;
    }
    location \@checker { ktp_pass $url{checker}/x; }
    location \@reader {
        ktp_pass $url{reader}/x;
        ktp_breaker failures=10 window=1s open=50ms max=100ms;
    }
EOC

diag("seed $seed") if $ENV{KTP_CHAOS_SEED} || $long;

my $port = $nginx->{flights_port};
my ($first) = $nginx->workers;

# a worker that begins has fewer
$nginx->settle;
my $descriptors = descriptors($first);

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }

sub rss {
    return KTP::Nginx::read_file("/proc/$_[0]/status") =~ /^VmRSS:\s+(\d+)/m
        ? $1 : 0;
}


# -- the run

# One request: "ID FATE SECONDS AGAIN", where the fate is a status, "gone" if the
# client has left, or "none" for an end without an answer; AGAIN is 1 if it was
# sent twice, because a worker was killed.
sub request {
    my ($client, $id) = @_;

    my $image = int rand $images;
    my $photo = photo($image);
    my $uri = '/' . (qw(all alone held shadow))[rand 4]
            . "?id=$id&image=$image";
    my $form = (
        ['application/json',
         json_body($photo, reference_id => "\"$id\"")],
        ['multipart/form-data; boundary=ktp',
         multipart(['reference_id', $id],
                   ['image', $photo, 'a.jpg', 'image/jpeg'])],
        ['image/jpeg', $photo])[rand 3];

    $uri .= "&reference_id=$id" if $form->[0] eq 'image/jpeg';

    if (rand() < 0.85) {
        my $got = client_post($client, $port, $uri, $form);

        return sprintf '%s %s %.3f %d', $id, $got->{status} || 'none',
                       $got->{seconds} // 0, $got->{again};
    }

    # leaves, at any time
    my $call = post_begin($port, $uri, $form->[1], "Content-Type: $form->[0]");
    my $part = rand() < 0.3 ? int rand length $call->{out}
                            : length $call->{out};

    syswrite $call->{sock}, $call->{out}, $part;
    IO::Select->new($call->{sock})->can_read(rand 0.3);
    close $call->{sock};

    return "$id gone 0 0";
}

# Sends n requests; "during" is called meanwhile.  Returns what became of them.
sub chaos {
    my ($part, $n, $during) = @_;

    my ($lines, $failed) = processes($clients, sub {
        my ($i) = @_;
        my %client;

        srand $seed * 1000 + $part * 100 + $i;

        return map { request(\%client, "$part-$i-$_") } 1 .. $n / $clients;
    }, $during);

    is($failed, 0, "part $part: the clients ended well");
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), "part $part: nobody waits");
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), "part $part: for no call");

    return @$lines;
}

sub count_log { return scalar(() = KTP::Nginx::read_file($log) =~ /\n/g) }

my %good = (
    vendor => [answers('200 OK', $KTP::Upstream::Body)],
    checker => [check(1, 1), check(1, 1), check(0, 0.5), check(0, 0)],
    reader => [reading(0.95), reading(0.5), reading(0.95), reading(0.8)],
);

$up{$_}->answer({ random => $seed + length, good => $good{$_} }) for keys %up;

my ($kills, $reloads) = (0, 0);
my @lines = chaos(1, $requests * 0.6, sub {
    my $done = 0;

    while ($done < $requests * 0.45 || $kills < 2) {
        my $before = $done;

        if ($done > $requests * 0.15 * ($kills + 1)) {
            my @pids = $nginx->workers;

            kill 'KILL', $pids[rand @pids];
            $kills++;
        }

        $nginx->signal('HUP');
        $reloads++;
        KTP::Nginx::wait_for(sub {
            $done = count_log();
            $done > $before + 80;
        }) or last;
    }
});

cmp_ok($kills, '>=', 2, 'workers were killed');
cmp_ok($reloads, '>=', 3, 'there were reloads');
ok(KTP::Nginx::wait_for(sub { $nginx->workers == $workers }),
   'the old workers left, and what they compared with them');


# -- the same workers, to the end

my @pids = $nginx->workers;
my $shadows = shadows();
my $logged = count_log();

# How many answers ktp_shadow compared, failed to compare, and dropped.
sub shadows {
    my %n = map {
        $_ => gauge($nginx, qq(ktp_shadow_answers_total{result="$_"}))
    } qw(compared failed dropped);

    return { map { $_ => $n{$_} < 0 ? 0 : $n{$_} } keys %n };
}

push @lines, chaos(2, $requests * 0.2);

my %before = map { $_ => rss($_) } @pids;

push @lines, chaos(3, $requests * 0.2);

is_deeply([sort $nginx->workers], [sort @pids], 'no worker died');

SKIP: {
    skip 'memory of an instrumented nginx says nothing', 1 if $slow > 1;

    is_deeply([grep { rss($_) - $before{$_} > 12_000 } @pids], [],
              'memory does not grow');
}

note('memory, KB: ' . join ', ', map { rss($_) . ' after ' . $before{$_} } @pids);


# -- one answer or one abort

my (%fate, %log, %again, @lost, @late);

# those whose client has left may go on for a while
KTP::Nginx::wait_for(sub { sums($logged)->{wanted} <= sums($logged)->{counted} });

for (split /\n/, KTP::Nginx::read_file($log)) {
    my %line;

    @line{qw(uri id image status outcome billed source call)} = split;
    push @{ $log{ $line{id} } }, \%line;
}

for (@lines) {
    my ($id, $fate, $seconds, $again) = split;
    my @logged = @{ $log{$id} || [] };

    $fate{$fate}++;
    $again{$id} = 1 if $again;
    push @late, $_ if $seconds > $longest;
    push @lost, "$id $fate, logged as " . join ' ', map { $_->{status} } @logged
        if $fate =~ /^\d/ && (@logged != 1 || $logged[0]{status} != $fate)
           || @logged > 1;
}

note(join ', ', map { "$_: $fate{$_}" } sort keys %fate);
is_deeply(\@lost, [], 'the log has the one answer of each');
is_deeply([grep { !/^(?:200|400|403|50[0234]|gone|none)$/ } keys %fate], [],
          'nothing unforeseen came');
cmp_ok($fate{none} || 0, '<=', $kills * $clients,
       'none is lost but those of killed workers');
cmp_ok($fate{200} || 0, '>', $requests / 10, 'some went well');
is_deeply(\@late, [], 'nobody waited for too long');

my %source;

$source{ $_->{source} }++ for map { @$_ } values %log;
note(join ', ', map { "$_: $source{$_}" } sort keys %source);
is_deeply([grep { !$source{$_} }
           qw(upstream precheck first fallback joined replayed)], [],
          'everybody has answered something');


# -- what was paid for

my (%calls, @twice, @unexplained);

for ($up{vendor}->calls) {
    my ($id) = $_->{body} =~ /"reference_id":"([^"]+)"/;

    $calls{ $id // '' }++;
}

for my $id (grep { !$again{$_} } keys %calls) {
    push @twice, $id if $calls{$id} > 1;

    my ($line) = @{ $log{$id} || [] } or next;

    push @unexplained, "$id $line->{source} $line->{billed} $line->{call}"
        if $line->{call} eq '-';
}

is_deeply(\@twice, [], 'no request has made two calls');
is_deeply(\@unexplained, [], 'and none but those that say so in the log');

my %settled;

for (map { @$_ } values %log) {
    push @{ $settled{ $_->{image} } }, $_->{id}
        if $_->{uri} eq '/all' && $_->{source} eq 'upstream'
           && $_->{outcome} =~ /^(?:ok|not_accepted)$/;
}

is_deeply([map { "@$_" } grep { @$_ > 1 } values %settled], [],
          'no image was answered by two calls');
is_deeply([grep { $_->{source} =~ /^(?:precheck|first)$/
                  && $_->{billed} ne 'no' } map { @$_ } values %log], [],
          'what is answered before the vendor is asked is not paid for');


# -- what is left

# Of lines of the log from one on: answers to compare, and how many were.
sub sums {
    my ($from) = @_;

    my @part = split /\n/, KTP::Nginx::read_file($log);
    my $now = shadows();
    my $counted = 0;

    $counted += $now->{$_} - $shadows->{$_} for keys %$now;

    # with sample=50%, an unknown number
    my @these = grep { m{^/(?:all|alone|shadow) \S+ \S+ \d+ (?:ok|not_accepted) \S+ upstream } }
                @part[$from .. $#part];
    my $half = grep { m{^/alone } } @these;

    return { wanted => @these - $half, at_most => scalar @these,
             counted => $counted };
}

my $sums = sums($logged);

cmp_ok($sums->{counted}, '>=', $sums->{wanted}, 'all answers were compared, or counted as not');
cmp_ok($sums->{counted}, '<=', $sums->{at_most}, 'and each once');

my $now = shadows();
note(join ', ', map { "$_: $now->{$_}" } sort keys %$now);

ok(KTP::Nginx::wait_for(sub {
    !grep { descriptors($_) > $descriptors } @pids
}), "descriptors are back at $descriptors")
    or diag(join ' ', map { descriptors($_) } @pids);

# each worker has its places for comparisons, once the breaker is closed
my $gate = $nginx->prefix . '/gate';
my $held = 4 * $workers;
my $form = (forms(photo(0)))[0];

$_->reset for values %up;
$up{vendor}->answer($good{vendor}[0]);

ok(KTP::Nginx::wait_for(sub {
    client_post({}, $port, '/shadow', $form);
    return KTP::Nginx::wait_for(sub {
        shadows()->{compared} > $now->{compared}
    }, 0.02);
}), 'answers are compared');

$up{reader}->answer({ until => $gate }, reading(0.5));
$nginx->settle;
$now = shadows();

for my $pid (@pids) {
    is_deeply([map {
        answer_of(begin($nginx, $pid, $form, uri => '/shadow'))->{status}
    } 1 .. 5], [(200) x 5], "worker $pid answers before it compares");
}

is(shadows()->{dropped} - $now->{dropped}, $workers,
   'in each worker, one comparison has no place, and is dropped');
KTP::Nginx::write_file($gate, '');
ok(KTP::Nginx::wait_for(sub {
    shadows()->{compared} + shadows()->{failed}
        == $now->{compared} + $now->{failed} + $held
}), "$held others had one");

$nginx->stop('QUIT');

my @alarms = grep { !/worker process \d+ exited on signal 9/ }
             $nginx->log_from =~ /^.*\[(?:alert|crit|emerg)\].*$/mg;

is_deeply(\@alarms, [], 'nothing alarming');
is($nginx->reports, '', 'no memory is lost');

done_testing();
