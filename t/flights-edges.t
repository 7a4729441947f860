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
my $number = 0;
my $nginx;


sub fresh {
    my ($name, %opt) = @_;

    note($name);
    $nginx->stop if $nginx;
    $nginx = KTP::Nginx->new(late => delete $opt{late});
    start($nginx, $url, workers => 2, http => $limits, %opt)
        or BAIL_OUT($nginx->complaint);
    $upstream->reset;
}

sub held {
    my (@answer) = @_;

    unlink $gate;
    $upstream->reset;
    $upstream->answer({ until => $gate }, @answer);
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

$nginx->stop;
is($nginx->reports, '', 'no report');
done_testing;
