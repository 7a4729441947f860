# Which two uploads share a call: those that differ in nothing that the vendor
# or the client would notice, one after the other, and while the first is in
# the air.

use strict;
use warnings;

use lib 't/lib';
use KTP::Flights;
use KTP::Client;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $slow = $KTP::Nginx::Slow;
my $good = KTP::Upstream::response('200 OK', $KTP::Upstream::Body);
my $gate = KTP::Nginx::scratch_dir() . '/gate';
my $upstream = KTP::Upstream->new;
my $url = $upstream->url;
my $nginx = KTP::Nginx->new;
my $number = 0;

start($nginx, $url, workers => 2, dedupe => '', http => <<EOH,
    ktp_timeout @{[10 * $slow]}s;
    ktp_read_timeout @{[10 * $slow]}s;
    map \$http_x_name \$name { default a; b b; }
    ktp_client a { }
    ktp_client b { mask full_name; }
EOH
    server => <<EOC) or BAIL_OUT($nginx->complaint);
        location = /q { ktp_dedupe on; ktp_pass $url/x; }
        location = /other { ktp_dedupe on; ktp_pass $url/y; }
        location = /on {
            ktp_dedupe on; ktp_validate_quality on; ktp_pass $url/x;
        }
        location = /off {
            ktp_dedupe on; ktp_validate_quality off; ktp_pass $url/x;
        }
        location = /app {
            ktp_dedupe on; ktp_app_id \$arg_app; ktp_api_key k;
            ktp_pass $url/x;
        }
        location = /local {
            ktp_dedupe on; ktp_nik_check off; ktp_min_dimensions 100x100;
            ktp_user_agent x; ktp_pass $url/x;
        }
        location = /stream {
            ktp_dedupe on; ktp_request_buffering off; ktp_pass $url/x;
        }
        location = /client { ktp_auth \$name; ktp_dedupe on; ktp_pass $url/x; }
        location = /all {
            ktp_auth \$name; ktp_dedupe on scope=all; ktp_pass $url/x;
        }
        location = /key {
            ktp_auth \$name; ktp_idempotency on; ktp_pass $url/x;
        }
        location = /key2 {
            ktp_auth \$name; ktp_idempotency on; ktp_pass $url/y;
        }
        location = /both {
            ktp_auth \$name; ktp_idempotency on; ktp_dedupe on scope=all;
            ktp_pass $url/x;
        }
EOC

my @workers = $nginx->workers;

# first, second, calls, status of the second; each "location client key"
my @pairs = (
    ['/q', '/q', 1],
    ['/q', '/other', 2],
    ['/q', '/local', 1],
    ['/q', '/stream', 1],
    ['/stream', '/q', 1],
    ['/q', '/q?reference_id=r', 2],
    ['/q', '/q?validate_quality=false', 1],
    ['/q', '/q?validate_quality=true', 2],
    ['/q', '/q?is_quality=true', 1],
    ['/q', '/q?is_quality=false', 2],
    ['/on', '/q?validate_quality=true', 1],
    ['/on', '/on?validate_quality=false', 1],
    ['/off', '/off?validate_quality=true', 1],
    ['/off', '/q', 1],
    ['/app?app=1', '/app?app=1', 1],
    ['/app?app=1', '/app?app=2', 2],
    ['/client a', '/client a', 1],
    ['/client a', '/client b', 2],
    ['/all a', '/all b', 1],
    ['/all b', '/all a', 1],
    ['/key a k', '/key a k', 1],
    ['/key a k', '/key a l', 2],
    ['/key a k', '/key b k', 2],
    ['/key a k', '/key2 a k', 1, 422],
    ['/key a k', '/key?reference_id=r a k', 1, 422],
    ['/key a k', '/key?validate_quality=true a k', 1, 422],
    ['/key a k', '/both a k', 2],
    ['/both a k', '/both b k', 1],
    ['/both a k', '/all b', 1],
    ['/all b', '/both a k', 1],
);


sub upload {
    my ($worker, $form, $what, $run) = @_;

    my ($uri, $client, $key) = split ' ', $what;

    return begin($nginx, $worker, $form, uri => $uri, headers => [
        "X-Name: " . ($client || 'a'),
        $key ? ("Idempotency-Key: $key-$run") : ()
    ]);
}


for my $air (0, 1) {

    for my $pair (@pairs) {
        my ($first, $second, $calls, $status) = @$pair;

        my $name = "$first, $second" . ($air ? ' in the air' : '');
        my ($form) = forms(photo(++$number, 5_000));
        my @answers;

        $status ||= 200;
        unlink $gate;
        $upstream->reset;
        $upstream->answer({ until => $gate }, $good);
        KTP::Nginx::write_file($gate, '') unless $air;

        my $lead = upload($workers[0], $form, $first, $number);

        ok($upstream->wait_calls(1), "$name: a call");
        push @answers, answer_of($lead) unless $air;

        my $other = upload($workers[1], $form, $second, $number);

        if ($air) {
            ok($status != 200 || ($calls == 2 ? $upstream->wait_calls(2)
                 : wait_gauge($nginx, 'ktp_waiting_requests', 1)),
               "$name: " . ($calls == 2 ? 'another' : 'for both'));
            push @answers, answer_of($other) if $status != 200;
            KTP::Nginx::write_file($gate, '');
            unshift @answers, answer_of($lead);
        }

        push @answers, answer_of($other) if @answers < 2;

        is(join(' ', map { $_->{status} } @answers), "200 $status",
           "$name: the answers");
        is(scalar($upstream->calls), $calls, "$name: the calls");

        # a mask is that of its client, whoever has made the call
        is(join(' ', map { $_->{body} =~ /SPECIMEN/ ? 'a' : 'b' }
                     grep { $_->{status} == 200 } @answers),
           join(' ', map { (split)[1] || 'a' }
                     $status == 200 ? ($first, $second) : $first),
           "$name: to the right clients");
    }
}

ok(wait_gauge($nginx, $_, 0), "no $_")
    for qw(ktp_waiting_requests ktp_shared_calls_in_flight);

$nginx->stop;
is($nginx->reports, '', 'no report');
done_testing;
