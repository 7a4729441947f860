# An upstream that misbehaves at random, clients that come and go, reloads and
# killed workers: no image is paid for twice, nobody waits too long, and
# nothing is left.
#
# KTP_FLIGHTS_REQUESTS (2000; a full run has 20000) and KTP_CHAOS_SEED choose
# another run.

use strict;
use warnings;

use lib 't/lib';
use Digest::MD5 qw(md5_hex);
use IO::Select;
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = $ENV{KTP_CHAOS_SEED} || 20260101;
my $requests = $ENV{KTP_FLIGHTS_REQUESTS} || 2000;
my $images = int $requests / 40;
my $slow = $KTP::Nginx::Slow;
my $clients = 16;
my ($read, $whole) = (800 * $slow, 2000 * $slow);

# over ktp_timeout, for a busy machine
my $late = 10 * $slow;

my $nginx = KTP::Nginx->new;
my $upstream = KTP::Upstream->new;

start($nginx, $upstream->url, zone => '32m', http => <<EOC,
    ktp_connect_timeout ${read}ms;
    ktp_read_timeout ${read}ms;
    ktp_timeout ${whole}ms;
    ktp_keepalive_timeout 1s;
EOC
      server => <<EOC) or BAIL_OUT($nginx->complaint);
    location = /streamed {
        ktp_pass @{[$upstream->url]}/x;
        ktp_request_buffering off;
    }
    location = /f { ktp_forget; access_log off; }
EOC

diag("seed $seed") if $ENV{KTP_CHAOS_SEED} || $requests > 2000;

my $port = $nginx->{flights_port};
my $log = $nginx->prefix . '/logs/flights.log';
my ($first) = $nginx->workers;

# a worker that begins has fewer
$nginx->settle;
my $descriptors = descriptors($first);
my $free = gauge($nginx, 'ktp_answer_zone_free_bytes');

cmp_ok($free, '>', 30_000_000, 'the zone is empty');

sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }


# -- the run

# One request; "ID FATE SECONDS DIGEST AGAIN", where the fate is a status, "gone"
# if the client has left, or "none" for an end without an answer; AGAIN is 1 if
# it was sent twice.
sub request {
    my ($client, $id, $form) = @_;

    my $uri = (rand() < 0.3 ? '/streamed' : '/d') . "?id=$id";

    if (rand() < 0.85) {
        my $got = client_post($client, $port, $uri, $form);

        return sprintf '%s %s %.3f %s %d', $id, $got->{status} || 'none',
                       $got->{seconds} // 0, md5_hex($got->{body} // ''),
                       $got->{again};
    }

    # leaves, at any time
    my $call = post_begin($port, $uri, $form->[1],
                          "Content-Type: $form->[0]");
    my $part = rand() < 0.5 ? int rand length $call->{out}
                            : length $call->{out};

    syswrite $call->{sock}, $call->{out}, $part;
    IO::Select->new($call->{sock})->can_read(rand 0.1);
    close $call->{sock};

    return "$id gone 0 - 0";
}

$upstream->answer({ random => $seed });

my ($kills, $reloads) = (0, 0);
my ($lines, $failed) = processes($clients, sub {
    my ($i) = @_;
    my %client;

    srand $seed * 1000 + $i;

    return map {
        my $image = int rand $images;

        request(\%client, "$image-$i-$_", (forms(photo($image)))[rand 3]);
    } 1 .. $requests / $clients;
}, sub {
    my $done = 0;

    # ends with the last requests, which come from clients that are slower
    while ($done < $requests * 0.9 || $kills < 3) {
        my $before = $done;

        if ($done > $requests * 0.25 * ($kills + 1)) {
            my @workers = $nginx->workers;

            kill 'KILL', $workers[rand @workers];
            $kills++;
        }

        $nginx->signal('HUP');
        $reloads++;
        KTP::Nginx::wait_for(sub {
            $done = () = KTP::Nginx::read_file($log) =~ /\n/g;
            $done > $before + 150;
        }) or last;
    }
});

is($failed, 0, 'the clients ended well');
is($kills, 3, 'three workers were killed');
cmp_ok($reloads, '>=', 3, 'there were reloads');


# -- all that was in the air has landed

ok(KTP::Nginx::wait_for(sub { $nginx->workers == 4 }, 10), 'the old workers left');
ok(wait_gauge($nginx, 'ktp_waiting_requests', 0), 'nobody waits');
ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'for no call');
is(gauge($nginx, 'ktp_answers_evicted_total'), 0, 'no answer was evicted');
is(gauge($nginx, 'ktp_answer_zone_full_total'), 0, 'there was always room');


# -- what the clients had

my (%fate, %digests, %lost, @late, $lost);

for (@$lines) {
    my ($id, $fate, $seconds, $digest, $again) = split;
    my ($image) = split /-/, $id;

    $fate{$fate}++;
    push @late, $_ if $seconds > $whole / 1000 + $late;
    $digests{$image}{$digest}++ if $fate eq 200 || $fate eq 400;
    $lost{$image}++ if $fate eq 'none' || $again;
}

note(join ', ', map { "$_: $fate{$_}" } sort keys %fate);
is(scalar @$lines, int($requests / $clients) * $clients, 'all were sent');
is_deeply([grep { !/^(?:200|400|403|50[0234]|gone|none)$/ } keys %fate], [],
          'nothing unforeseen came');
cmp_ok($fate{200} || 0, '>', $requests / 2, 'most had an answer');
cmp_ok($fate{none} || 0, '<=', $kills * $clients,
       'none was lost but those of killed workers');
is_deeply(\@late, [], 'nobody waited for longer than ktp_timeout');
is_deeply([grep { keys %{ $digests{$_} } > 1 } keys %digests], [],
          'an image has one answer');


# -- what was paid for

my (%settled, %failed, %ids);

# a line is written after the answer
$nginx->settle;

for (logged($nginx)) {
    my ($image) = split /-/, $_->{id};

    $ids{ $_->{id} } = 1;
    next if $_->{flight} eq '-';

    # 400 is KTP_NOT_DETECTED here, which is an answer
    $_->{status} =~ /^(?:200|400)$/ ? $settled{$image}{ $_->{flight} }++
                                    : $failed{$image}{ $_->{flight} }++;
}

# of those that left, the lines of killed workers are missing, too
for (@$lines) {
    my ($id, $fate) = split;
    my ($image) = split /-/, $id;

    $lost{$image}++ if $fate eq 'gone' && !$ids{$id};
}

my (%calls, $paid);

for ($upstream->calls) {
    my ($base64) = $_->{body} =~ /"image":"([^"]+)"/;
    my ($image) = decode_base64($base64 // '') =~ /photo (\d{12})/
        or next;

    $calls{ $image + 0 }++;
    $paid++;
}

my (@twice, @unexplained);

for my $image (0 .. $images - 1) {
    my @settled = keys %{ $settled{$image} || {} };
    my @failed = grep { !$settled{$image}{$_} }
                 keys %{ $failed{$image} || {} };

    push @twice, $image if @settled > 1;
    push @unexplained, "$image: " . ($calls{$image} || 0) . ' calls, '
                       . @settled . ' settled, ' . @failed . ' failed'
        if ($calls{$image} || 0) > @settled + @failed + ($lost{$image} || 0);
}

cmp_ok($paid, '>=', keys %settled, 'calls were made');
is_deeply(\@twice, [], 'no image was answered by two calls')
    or diag(map { "$_->{id} $_->{status} $_->{outcome} $_->{source} $_->{flight}\n" } grep { $_->{id} =~ /^$twice[0]-/ } logged($nginx));
is_deeply(\@unexplained, [],
          'each call but one of an image ended in an error of somebody');
note("$paid calls for " . keys(%calls) . ' images');


# -- what is left

my @workers = $nginx->workers;

ok(KTP::Nginx::wait_for(sub {
    !grep { descriptors($_) > $descriptors } @workers
}), "descriptors are back at $descriptors")
    or diag(join ' ', map { descriptors($_) } @workers);

# a worker may be killed between an answer and its line in the log
my %answered = (%settled, %digests);

ok(wait_gauge($nginx, 'ktp_stored_answers', scalar(keys %answered)),
   'there is an answer of each image that has one');

my %forget;

for my $image (0 .. $images - 1) {
    my $got = client_post(\%forget, $port, '/f', (forms(photo($image)))[0]);

    $forget{statuses}{ $got->{status} }++;
}

is_deeply($forget{statuses}, { 200 => $images }, 'all are forgotten');
ok(wait_gauge($nginx, 'ktp_stored_answers', 0), 'nothing is stored');
ok(wait_gauge($nginx, 'ktp_answer_zone_free_bytes', $free),
   'the zone is as empty as it was');

$nginx->stop('QUIT');

my @alarms = grep { !/worker process \d+ exited on signal 9/ }
             $nginx->log_from =~ /^.*\[(?:alert|crit|emerg)\].*$/mg;

is_deeply(\@alarms, [], 'nothing alarming');

done_testing();
