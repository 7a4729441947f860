# One call for identical uploads: who leads, who joins, and what is stored.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep);

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $url = $upstream->url;
my $prefix = $nginx->prefix;
my $go = KTP::Nginx::scratch_dir() . '/go';
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $bad = KTP::Upstream::response(
    '400 Bad Request',
    '{"message":"KTP not detected","error_code":"KTP_NOT_DETECTED"}');
my $error = KTP::Upstream::response(
    '500 Internal Server Error',
    '{"message":"x","error_code":"INTERNAL_SERVER_ERROR"}');
my $sizes = 40_000;

# of ktp_timeout, in which two more requests have to join
my $timeout = 2 * $KTP::Nginx::Slow;

# an image that was not sent before
sub image { return jpeg(800, 600, size => ++$sizes) }

$nginx->start($nginx->config(
    main => KTP::load_module(), master => 'on', workers => 2, http => <<EOH,
    ktp_zone z:1m;
    ktp_answer_zone answers:1m;
    log_format f '\$status \$ktp_source \$ktp_flight \$ktp_billed';
    map \$http_x_name \$name { default a; b b; c c; }
    ktp_client a { }
    ktp_client b { mask nik=last:4; }
    ktp_client c { quota 1/total; }
EOH
    server => <<EOC)) or BAIL_OUT($nginx->complaint);
        access_log $prefix/logs/f.log f;
        location = /off { ktp_pass $url/x; }
        location = /d { ktp_dedupe on; ktp_pass $url/x; }
        location = /other { ktp_dedupe on; ktp_pass $url/other; }
        location = /app { ktp_dedupe on; ktp_app_id b; ktp_pass $url/x; }
        location = /quality {
            ktp_dedupe on; ktp_validate_quality on; ktp_pass $url/x;
        }
        location = /short { ktp_dedupe on ttl=1ms; ktp_pass $url/x; }
        location = /ignore {
            ktp_dedupe on reference_id=ignore; ktp_pass $url/x;
        }
        location = /client { ktp_auth \$name; ktp_dedupe on; ktp_pass $url/x; }
        location = /all {
            ktp_auth \$name; ktp_dedupe on scope=all; ktp_pass $url/x;
        }
        location = /stream {
            ktp_request_buffering off; ktp_dedupe on; ktp_pass $url/x;
        }
        location = /key { ktp_idempotency on; ktp_pass $url/x; }
        location = /need { ktp_idempotency required; ktp_pass $url/x; }
        location = /both {
            ktp_dedupe on ttl=1ms; ktp_idempotency on; ktp_pass $url/x;
        }
        location = /forget { ktp_forget; }
        location = /hmac {
            ktp_log_key k; ktp_dedupe on; ktp_pass $url/x;
            add_header X-Hmac \$ktp_image_hmac;
        }
        location = /slow {
            ktp_dedupe on; ktp_timeout ${timeout}s; ktp_pass $url/x;
        }
        location = /status { ktp_status; }
EOC

my $port = $nginx->port;
my @jpeg = ('Content-Type: image/jpeg');

sub send_to {
    my ($where, $image, @headers) = @_;

    return post($port, $where, $image, @jpeg, @headers);
}

# the number of calls that the sub has made
sub calls_of {
    my ($sub) = @_;

    my $before = () = $upstream->calls;
    $sub->();

    return (() = $upstream->calls) - $before;
}

# personal data are in no cache, whatever was sent from where
sub no_store {
    my ($answer) = @_;

    is_deeply([$answer->{head} =~ /^Cache-Control: (.*?)\r?$/mg], ['no-store'],
              '... and not for a cache');
}

# a sent request whose answer is not waited for
sub begin {
    my ($where, $image, @headers) = @_;

    my $call = post_begin($port, $where, $image, @jpeg, @headers);
    syswrite $call->{sock}, $call->{out};
    $call->{out} = '';

    return $call;
}

sub metric {
    my ($name) = @_;

    my $port_of = $nginx->port;
    my $text = qx{curl -s http://127.0.0.1:$port_of/status};

    return $text =~ /^\Q$name\E(?:\{[^}]*\})? (\S+)$/m ? $1 : undef;
}

# whether a metric comes to a value, which may be after the answer
sub becomes {
    my ($name, $value) = @_;

    return KTP::Nginx::wait_for(sub { (metric($name) // -1) == $value });
}

sub waiting { return becomes('ktp_waiting_requests', $_[0]) }

# -- what is identical

my $image = image();

is(calls_of(sub {
    my $file = send_to('/d', $image);
    my $json = post($port, '/d', json_body($image));
    my $form = post($port, '/d',
                    multipart(['image', $image, 'a.jpg', 'image/jpeg']),
                    'Content-Type: multipart/form-data; boundary=ktp');

    is($_->{status}, 200, 'an answer') for $file, $json, $form;
    is($_->{body}, $file->{body}, '... that is the same') for $json, $form;
    no_store($_) for $file, $json;
}), 1, 'a file, JSON and a form of one image are one call');

is(calls_of(sub { send_to('/d', image()) }), 1, 'another image is another');

for my $where (qw(/other /app /quality /off)) {
    is(calls_of(sub { send_to($where, $image) }), 1, "so is $where");
}

is(calls_of(sub {
    send_to('/d?reference_id=a', $image);
    send_to('/d?reference_id=b', $image);
    send_to('/d?reference_id=a', $image);
}), 2, 'and another reference_id');

is(calls_of(sub {
    is(post($port, '/ignore', json_body(image()))->{status}, 200, 'ok');
}), 1, 'unless it is ignored');

$image = image();
is(calls_of(sub {
    send_to("/ignore?reference_id=$_", $image) for qw(a b);
    send_to('/ignore', $image);
}), 1, '... for all of them');

$image = image(); # the last one is stored for /short as well
is(calls_of(sub {
    send_to('/short', $image);
    sleep 0.05; # more than a tick of a coarse clock
    send_to('/short', $image);
}), 2, 'what is older than its ttl is not given');

# -- clients

$image = image();
is(calls_of(sub {
    send_to('/client', $image, "X-Name: $_") for qw(a b a b);
}), 2, 'a call a client');

is(calls_of(sub {
    my $a = send_to('/all', $image, 'X-Name: a');
    my $b = send_to('/all', $image, 'X-Name: b');

    like($a->{body}, qr/"3171234567890001"/, 'a client without masks');
    like($b->{body}, qr/"\*+0001"/, 'masks of another are its own');
    no_store($b);
}), 1, 'or one for all');

is(calls_of(sub {
    send_to('/all', $image, 'X-Name: c') for 1 .. 3;
}), 0, 'a replay takes nothing from a quota');
is(send_to('/all', image(), 'X-Name: c')->{status}, 200, '... it is there');
is(send_to('/all', $image, 'X-Name: c')->{status}, 403,
   '... once it is used up, there is no replay');

# -- joined

sub together {
    my ($where, $n, @headers) = @_;

    my $image = image();

    unlink $go;
    $upstream->answer({until => $go}, $good);

    my $lead = begin($where, $image, @headers);
    ok(becomes('ktp_shared_calls_in_flight', 1), 'a call is in the air');

    my @join = map { begin($where, $image, @headers) } 2 .. $n;
    ok(waiting($n - 1), $n - 1 . ' wait');

    return ($image, $lead, @join);
}

is(calls_of(sub {
    my (undef, @calls) = together('/d', 10);

    KTP::Nginx::write_file($go, '');

    my @answers = map { answer_of($_) } @calls;

    is(scalar(grep { $_->{status} == 200 } @answers), 10, 'all are answered');
    is(scalar(keys %{{map { $_->{body} => 1 } @answers}}), 1, 'alike');
    no_store($_) for @answers;
}), 1, '... by one call');

my @log;
ok(KTP::Nginx::wait_for(sub {
    @log = grep { /joined/ }
           split /\n/, KTP::Nginx::read_file("$prefix/logs/f.log");
    @log == 9
}), 'the log says who has joined');
is(scalar(keys %{{map { (split)[2] => 1 } @log}}), 1, '... and which call');

is(calls_of(sub {
    my (undef, $lead, @join) = together('/d', 3);

    close $lead->{sock};
    close((shift @join)->{sock});
    ok(waiting(1), 'one stays');
    KTP::Nginx::write_file($go, '');
    is(answer_of($_)->{status}, 200, '... and is answered') for @join;
}), 1, 'the call goes on when its client leaves');

# without anybody who waits it ends

my ($left, $lead, @join) = together('/d', 2);
close $_->{sock} for $lead, @join;
ok(becomes('ktp_calls_in_flight', 0), 'and ends when all have left');
ok(becomes('ktp_shared_calls_in_flight', 0), '... the flight as well');

# -- errors

$upstream->answer($error);
$image = image();
is(calls_of(sub {
    is(send_to('/d', $image)->{status}, 500, 'an error') for 1 .. 2;
}), 2, 'is not stored');

$upstream->answer($bad);
is(calls_of(sub {
    is(send_to('/d', $image)->{status}, 400, 'no card') for 1 .. 2;
}), 1, 'is');

($image, $lead, @join) = together('/slow', 3);
my @late = map { answer_of($_) } $lead, @join;
is(join(' ', map { $_->{status} } @late), '504 504 504',
   'a call that is late is so for all');
cmp_ok($late[2]{seconds}, '<', 5 * $timeout, '... in time');
ok(becomes('ktp_requests_total{client="-",outcome="timeout",'
           . 'error_code="INTERNAL_SERVER_ERROR"}', 3),
   '... three requests are late');
ok(becomes('ktp_upstream_calls_total{outcome="timeout"}', 1),
   '... and one call');
$upstream->answer;

# -- streamed

$image = image();
is(calls_of(sub {
    send_to('/d', $image);
    is(send_to('/stream', $image)->{status}, 200, 'a streamed upload');
}), 1, 'finds the answer of a whole one');

# -- idempotency

$image = image();
is(calls_of(sub {
    my $first = send_to('/key', $image, 'Idempotency-Key: k1');
    my $again = send_to('/key', $image, 'Idempotency-Key: "k1"');

    is($again->{body}, $first->{body}, 'a key gives the same answer');
    unlike($first->{head}, qr/Idempotency-Replayed/, '... new at first');
    like($again->{head}, qr/^Idempotency-Replayed: true\r?$/m,
         '... and then replayed');
}), 1, '... by one call');

my $reused = send_to('/key', image(), 'Idempotency-Key: k1');
is($reused->{status}, 422, 'with another image');
like($reused->{body}, qr/"IDEMPOTENCY_KEY_REUSED"/, '... it is an error');

is(calls_of(sub {
    send_to('/key', $image, 'Idempotency-Key: k2');
    send_to('/key', $image) for 1 .. 2;
}), 3, 'another key, and none, are calls');

for (['/need'], ['/need', 'Idempotency-Key: '],
     ['/key', 'Idempotency-Key: "'], ['/key', map { "Idempotency-Key: $_" } 1, 2]) {
    my ($where, @headers) = @$_;
    my $answer = send_to($where, $image, @headers);

    is($answer->{status}, 400, "$where @headers");
    like($answer->{body}, @headers ? qr/"IDEMPOTENCY_KEY_INVALID"/
                                   : qr/"IDEMPOTENCY_KEY_MISSING"/,
         '... with its code');
}

$image = image();
is(calls_of(sub {
    send_to('/both', $image, 'Idempotency-Key: k3') for 1 .. 3;
}), 1, 'a key keeps an answer for longer than the uploads are compared');
is(calls_of(sub { send_to('/both', $image) }), 1, '... which are not then');

is(calls_of(sub {
    $upstream->answer($error);
    send_to('/key', $image, 'Idempotency-Key: k4');
    $upstream->answer;
    is(send_to('/key', $image, 'Idempotency-Key: k4')->{status}, 200,
       'after an error, a key can be used again');
}), 2, '... for a call');

# -- forgotten

$image = image();
send_to('/d', $image);
my $stored = metric('ktp_stored_answers');
like(send_to('/forget', $image)->{body}, qr/"erased":1/, 'one is erased');
ok(becomes('ktp_stored_answers', $stored - 1), '... and not there');
is(calls_of(sub { send_to('/d', $image) }), 1, '... for others');

my ($hmac) = send_to('/hmac', $image)->{head} =~ /^X-Hmac: (\w+)/m;
like(post($port, "/forget?image_hmac=$hmac", '')->{body}, qr/"erased":1/,
     'by the digest of the log');
is(post($port, "/forget?image_hmac=$_", '')->{status}, 400,
   "not by '$_'") for '', 'x' x 64, substr $hmac, 1;

($image, $lead, @join) = together('/d', 2);
like(send_to('/forget', $image)->{body}, qr/"erased":0/,
     'what is in the air cannot be erased');
KTP::Nginx::write_file($go, '');
is(answer_of($_)->{status}, 200, '... and is answered') for $lead, @join;
$upstream->answer;
is(calls_of(sub { send_to('/d', $image) }), 1, '... but is not stored');

ok(KTP::Nginx::wait_for(sub {
    metric('ktp_saved_calls_total{client="-",reason="joined"}')
}), 'saved calls are counted');
ok(waiting(0), 'nobody waits');

$nginx->stop;
is($nginx->reports, '', 'no report');
done_testing;
