# Flights at their edges: a zone too small for an answer, clocks that differ,
# keys beside uploads without one, workers without a place.

use strict;
use warnings;

use lib 't/lib';
use KTP::Client;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $KTP::Nginx::Slow;
my $limits = "ktp_timeout @{[10 * $slow]}s; ktp_read_timeout @{[10 * $slow]}s;"
           . ' ktp_retries 0;';
my $gate = KTP::Nginx::scratch_dir() . '/gate';
my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $number = 0;
my $nginx;


sub fresh {
    my ($name, %opt) = @_;

    note($name);
    $nginx->stop if $nginx;
    $nginx = KTP::Nginx->new(late => delete $opt{late});
    start($nginx, $url, workers => 2, http => $limits, %opt,
          server => 'location = /f { ktp_forget; }' . ($opt{server} // ''))
        or BAIL_OUT($nginx->complaint);
    $upstream->reset;
}

sub held {
    my (@answer) = @_;

    unlink $gate;
    $upstream->reset;
    $upstream->answer({ until => $gate }, @answer ? @answer : $good);
}

sub land { KTP::Nginx::write_file($gate, '') }
sub calls { return scalar($upstream->calls) }

# a whole request and its answer
sub upload { return answer_of(begin($nginx, @_)) }

# the images that have been sent to the upstream
sub images {
    return map {
        KTP::Upstream::body_of($_) =~ /"image":"([^"]*)"/
            ? decode_base64($1) : ''
    } $upstream->calls;
}


# -- the zone has no room for an answer

fresh('no room', zone => '128k', server => <<EOC);
        location = /s { ktp_request_buffering off; ktp_pass $url/x; }
EOC

my $long = $KTP::Upstream::Body =~ s/SPECIMEN/'x' x 250_000/er;

for (
    # name, status, who waits, the statuses of all, calls
    ['a whole upload makes a call', '200 OK', '/d', '200 200 200', 3],
    ['a streamed one has no image left', '200 OK', '/s', '200 502 502', 1],
    ['an error is not repeated', '500 Oops', '/d', '500 502 502', 1],
    ['nor by a streamed upload', '500 Oops', '/s', '500 502 502', 1],
) {
    my ($name, $status, $uri, $statuses, $calls) = @$_;

    my $image = photo(++$number, 20_000);
    my ($form) = forms($image);

    held(KTP::Upstream::response($status, $long));

    my @calls = begin($nginx, undef, $form);

    ok($upstream->wait_calls(1), "$name: a call");
    push @calls, map { begin($nginx, undef, $form, uri => $uri) } 1, 2;
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 2), "$name: two wait");
    land();
    is(join(' ', map { answer_of($_)->{status} } @calls), $statuses,
       "$name: the answers");
    is(calls(), $calls, "$name: the calls");
    is(scalar(grep { $_ eq $image } images()), $calls,
       "$name: each with the image");
}


# -- the clock of a worker is behind that of the one that stored the answer

fresh('clocks that differ', late => 1);

my ($first, $second) = $nginx->workers;
my ($form) = forms(photo(++$number));

is(upload($first, $form)->{status}, 200, 'an answer is stored');
$nginx->late($second);
is(upload($second, $form)->{status}, 200,
   'a worker whose clock is behind has it');
is(calls(), 1, '... from the zone');
$nginx->late;


# -- a key beside uploads without one, which are compared for a shorter time

for (
    # name, the call of the upload without a key, its status
    ['succeeds', $good, 200],
    ['fails', KTP::Upstream::response('500 Oops',
        '{"message":"no","error_code":"INTERNAL"}'), 500],
) {
    my ($name, $answer, $status) = @$_;

    fresh("a key beside an upload whose call $name",
          dedupe => 'ktp_dedupe on ttl=1ms; ktp_idempotency on;');

    my ($form) = forms(photo(++$number));
    my @key = (headers => ['Idempotency-Key: k']);

    upload(undef, $form, @key);
    sleep 0.01; # ten times the ttl
    held($answer);

    my $bare = begin($nginx, undef, $form);

    ok($upstream->wait_calls(1), "$name: an upload without a key is a call");
    like(upload(undef, $form, @key)->{head}, qr/^Idempotency-Replayed: true/m,
         "$name: the key has its answer meanwhile");
    land();
    is(answer_of($bare)->{status}, $status, "$name: the call has ended");

    # expired answers are looked for twice a second
    sleep 1.2;

    my $again = upload(undef, $form, @key);

    is($again->{status}, 200, "$name: the key has an answer after it");
    like($again->{head}, qr/^Idempotency-Replayed: true/m, "$name: a stored one");
    is(calls(), 1, "$name: which costs nothing");
    ok(wait_gauge($nginx, 'ktp_stored_answers', 1),
       "$name: of one that is stored");
    is(upload(undef, $form, uri => '/f')->{status}, 200, "$name: forgotten");
    ok(wait_gauge($nginx, 'ktp_stored_answers', 0), "$name: it is gone");
}


# -- keys that are used stay in a full zone

for my $dedupe ('ktp_idempotency on;', 'ktp_idempotency on; ktp_dedupe on;') {
    fresh("a full zone: $dedupe", zone => '128k', dedupe => $dedupe);

    my ($form) = forms(photo(++$number));
    my %seen;

    for my $i (1 .. 120) {
        my ($other) = forms(photo(++$number));

        upload(undef, $other, headers => ["Idempotency-Key: o$i"]);
        $seen{ upload(undef, $form, headers => ['Idempotency-Key: k'])
                   ->{status} }++;
    }

    cmp_ok(gauge($nginx, 'ktp_answers_evicted_total'), '>', 20,
           'answers and keys made room');
    is_deeply(\%seen, { 200 => 120 }, 'a key that is used has its answer');
    is(calls(), 121, '... of one call');

    my ($second) = forms(photo(++$number));

    is(upload(undef, $second, headers => ['Idempotency-Key: k'])->{status}, 422,
       '... and is known');
}


# -- another zone after a reload: its workers have the descriptors of the old
# ones, which may miss a wake

sub reload {
    my ($workers, $from, $to) = @_;

    my $file = $nginx->prefix . '/conf/nginx.conf';

    KTP::Nginx::write_file($file, KTP::Nginx::read_file($file)
                                  =~ s/\Q$from\E/$to/r) if $from;
    $nginx->signal('HUP');

    return KTP::Nginx::wait_for(sub { $nginx->workers == $workers });
}

# the counts of the event descriptors of a process
sub counts {
    my ($pid) = @_;

    return map { KTP::Nginx::read_file($_) =~ /^eventfd-count:\s+(\S+)/m }
               glob "/proc/$pid/fdinfo/*";
}

fresh('another zone after a reload');
{
    my ($leads, $waits) = $nginx->workers;
    my ($form) = forms(photo(++$number));

    held();

    my $lead = begin($nginx, $leads, $form);

    ok($upstream->wait_calls(1), 'a call');

    my $wait = begin($nginx, $waits, $form);

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 1), 'a request waits');
    ok(reload(4, 'answers:4m', 'answers:8m'), 'two generations, two zones');
    ok(KTP::Nginx::wait_for(sub {
        my $log = $nginx->log_from;
        2 == (() = $log =~ /gracefully shutting down/g)
    }), 'the old one leaves');

    # longer than it takes to look whether a wake was missed
    sleep 0.7;

    my ($new) = grep { $_ != $leads && $_ != $waits } $nginx->workers;

    kill 'STOP', $waits;
    land();
    is(answer_of($lead)->{status}, 200, 'the call has ended');
    ok(KTP::Nginx::wait_for(sub { !grep { hex } counts($new) }),
       'others have read all descriptors');
    kill 'CONT', $waits;

    my $start = time();

    is(answer_of($wait)->{status}, 200, 'who waits has the answer');
    cmp_ok(time() - $start, '<', 5 * $slow, '... soon');
    ok(KTP::Nginx::wait_for(sub { $nginx->workers == 2 }),
       'and the old workers leave');
}


# -- many answers that expire at a time

fresh('many answers expire', workers => 1, dedupe => 'ktp_dedupe on ttl=4s;');
{
    my (undef, $failed) = processes(4, sub {
        my ($i) = @_;
        my %client;

        for (1 .. 250) {
            my ($form) = forms(photo(10_000 * $i + $_));

            client_post(\%client, $nginx->{flights_port}, '/d', $form)->{status}
                == 200 or die "no answer\n";
        }
    });

    is($failed, 0, 'a thousand answers');
    my $start = time();

    ok(wait_gauge($nginx, 'ktp_stored_answers', 0), 'are erased');

    # 4 seconds, and half of what two batches a second would take
    cmp_ok(time() - $start, '<', 4 + 3.5 * $slow,
           'soon after they have expired');
    is(gauge($nginx, 'ktp_answers_evicted_total'), 0, '... none before');
}


# -- a zone that was full of answers of all sizes is empty again

fresh('a zone that was full', zone => '128k',
      dedupe => 'ktp_dedupe on ttl=3s; ktp_idempotency on ttl=3s;');
{
    my $free = gauge($nginx, 'ktp_answer_zone_free_bytes');

    for my $size (100, 1_500, 5_000, 30_000) {
        my $body = $KTP::Upstream::Body =~ s/SPECIMEN/'x' x $size/er;

        $upstream->answer(KTP::Upstream::response('200 OK', $body));

        my ($lines, $failed) = processes(4, sub {
            my ($i) = @_;

            return map {
                my $photo = $size * 1000 + $_ * 7 % 60;
                my @key = $_ % 2 ? () : ("Idempotency-Key: $photo");
                my $answer = upload(undef, (forms(photo($photo)))[$i % 3],
                                    headers => \@key);

                "$answer->{status} " . ($answer->{body} eq $body);
            } 1 .. 60;
        });
        my %got;

        $got{$_}++ for @$lines;
        is($failed, 0, "$size bytes: the clients ended well");
        is_deeply(\%got, { '200 1' => 240 }, "$size bytes: all are answered")
            or diag(explain(\%got));
    }

    cmp_ok(gauge($nginx, 'ktp_answers_evicted_total'), '>', 100,
           'answers made room for others');
    ok(wait_gauge($nginx, "ktp_$_", 0), "no $_") for
        qw(stored_answers idempotency_keys waiting_requests
           shared_calls_in_flight);
    ok(wait_gauge($nginx, 'ktp_answer_zone_free_bytes', $free),
       'all pages are free');
}


# -- more generations of workers than there are places

fresh('no place', workers => 1);
{
    my ($form) = forms(photo(++$number));
    my (@held, %old);

    # a request whose body does not come keeps its worker
    for my $generation (2 .. 17) {
        my ($new) = grep { !$old{$_}++ } $nginx->workers;

        push @held, worker_socket($nginx, $new);
        syswrite $held[-1], "POST /d HTTP/1.1\r\nHost: localhost\r\n"
                            . "Content-Type: image/jpeg\r\n"
                            . "Content-Length: 1000\r\n\r\n";
        reload($generation) or last;
    }

    is(scalar($nginx->workers), 17, 'many generations');
    ok(KTP::Nginx::wait_for(sub { $nginx->log_from =~ /no place in/ }),
       'the last worker has no place');

    held();

    my ($last) = $nginx->log_from =~ /(\d+)#\d+: no place in/;
    my $lead = begin($nginx, $last, $form);

    ok($upstream->wait_calls(1), 'it makes a call');

    my $wait = begin($nginx, $last, $form);

    ok(wait_gauge($nginx, 'ktp_waiting_requests', 1), 'for two requests');
    kill 'KILL', $last;
    ok(wait_gauge($nginx, 'ktp_waiting_requests', 0),
       'when it is killed, nobody waits');
    ok(wait_gauge($nginx, 'ktp_shared_calls_in_flight', 0), 'for no call');
    land();
    is(upload(undef, $form)->{status}, 200, 'the next upload has an answer');
    is(calls(), 2, 'of its own call');
    close $_ for @held;
}

$nginx->stop;
is($nginx->reports, '', 'no report');
done_testing;
