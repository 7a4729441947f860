# Flights of a fleet with servers that are no Redis, or a bad one: whatever they
# reply to the script, an upload is answered by a call of the host's own, a
# message is logged, and nothing else happens.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::FakeRedis;
use KTP::Flights;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep);

my $upstream = KTP::Upstream->new;
my $dir = KTP::Nginx::scratch_dir();
my $timeout = 400 * $KTP::Nginx::Slow;
my $number = 0;
my $id = 'a' x 16;

KTP::Nginx::write_file("$dir/key", 'k' x 32 . "\n");
chmod 0600, "$dir/key";

# values as an array of a reply: texts, and numbers as references
sub array {
    return '*' . @_ . "\r\n" . join '', map {
        ref $_ ? ":$$_\r\n" : '$' . length($_) . "\r\n$_\r\n"
    } @_;
}

# the script's reply to a claim, with some values replaced
sub reply {
    my (%set) = @_;
    my @values = ('busy', "$id-1", \1, \0, '');

    $values[$_] = $set{$_} for keys %set;
    return array(@values);
}

my $bad = qr/\[error\] .* unexpected values "" in reply to flight$/m;
my $lost = qr/\[error\] .*redis "[^"]+": (?:invalid or too large reply|connection was closed|no reply)/;

# [what is replied to a claim, the reply, what is logged]
my @bad = (
    ['an error', "-ERR x\r\n", qr/error "ERR" in reply to flight$/m],
    ['a server that starts', "-LOADING x\r\n", qr/error "LOADING" in/],
    ['no memory', "-OOM x\r\n", qr/error "OOM" in/],
    ['no rights', "-NOAUTH x\r\n", qr/error "NOAUTH" in/],
    ['a replica', "-READONLY x\r\n", qr/error "READONLY" in/],
    ['never a script', "-NOSCRIPT x\r\n", qr/error "NOSCRIPT" in/],
    ['a number', ":1\r\n", $bad],
    ['nil', "\$-1\r\n", $bad],
    ['a text', "+OK\r\n", $bad],
    ['an empty array', "*0\r\n", $bad],
    ['too few values', array('busy', "$id-1"), $bad],
    ['too many values', array('busy', "$id-1", \1, \0, '', ''), $bad],
    ['an unknown status', reply(0 => 'fly'), $bad],
    ['a number as status', reply(0 => \1), $bad],
    ['a text as number', reply(2 => '1'), $bad],
    ['a number as answer', reply(4 => \1), $bad],
    ['no owner', reply(1 => ''), $bad],
    ['an owner that is no token', reply(1 => 'x' x 20), $bad],
    ['a short owner', reply(1 => $id), $bad],
    ['a long owner', reply(1 => "$id-" . '1' x 100), $bad],
    ['a key that there is not', reply(2 => \2), $bad],
    ['key 0', reply(2 => \0), $bad],
    ['a negative key', reply(2 => \-1), $bad],
    ['a negative age', reply(0 => 'stored', 3 => \-1, 4 => 'x' x 100), $bad],
    ['no answer', reply(0 => 'stored'), $bad],
    ['a short answer', reply(0 => 'stored', 4 => 'x' x 28), $bad],
    ['an answer that nobody sealed', reply(0 => 'stored', 4 => 'x' x 100), $bad],
    ['such an end', reply(0 => 'ended', 4 => 'x' x 100), $bad],
    ['half a reply', substr(reply(), 0, 20), $lost],
    ['a huge text', "*5\r\n\$99999999999\r\n", $lost],
    ['an array in an array', "*1\r\n*1\r\n:1\r\n", $lost],
    ['nil in an array', "*5\r\n\$-1\r\n", $lost],
    ['bytes of any kind', join('', map { chr } 128 .. 255), $lost],
    ['none to the whole script', sub { $_[0] eq 'EVALSHA' ? "-NOSCRIPT x\r\n" : undef },
     qr/connection was closed/],
);

# A server that greets well, and replies to scripts as it is told: undef closes
# the connection.
sub fake {
    my ($reply) = @_;

    return KTP::FakeRedis->new(sub {
        my ($sock, $self) = @_;
        my $in = '';

        while (sysread $sock, $in, 65536, length $in) {
            while ($in =~ s/^\*(\d+)\r\n((?:\$\d+\r\n[^\r]*\r\n)+)//s) {
                my ($n, $words) = ($1, $2);
                my ($name) = $words =~ /^\$\d+\r\n(\w+)/;

                $self->note('received', "$words\n");

                my $said = $name eq 'PING'      ? "+PONG\r\n"
                         : $name eq 'SUBSCRIBE' ? ''
                         : ref $reply           ? $reply->($name)
                         : $reply;

                return unless defined $said;
                print $sock $said;
            }
        }
    });
}

sub host {
    my ($fake) = @_;

    my $nginx = KTP::Nginx->new;
    my $address = $fake->address;

    start($nginx, $upstream->url, workers => 1,
          dedupe => 'ktp_dedupe on fleet;',
          http => "ktp_redis $address timeout=${timeout}ms;"
                  . "ktp_fleet_key file:$dir/key;")
        or BAIL_OUT($nginx->complaint);
    $nginx->wait_log(qr/fleet is reachable/) or BAIL_OUT($nginx->log_from(0));

    return $nginx;
}

sub upload {
    my ($nginx) = @_;
    my %client;

    return client_post(\%client, $nginx->{flights_port}, '/d',
                       [forms(photo(++$number, 5000))]->[0])->{status};
}

for (@bad) {
    my ($name, $reply, $logged) = @$_;

    my $fake = fake($reply);
    my $nginx = host($fake);
    my @pids = $nginx->workers;

    $upstream->reset;
    is(upload($nginx), 200, "$name: an upload is answered");
    is(scalar($upstream->calls), 1, 'by one call');
    ok($nginx->wait_log($logged), 'a message is logged')
        or diag($nginx->log_from(0));
    is(upload($nginx), 200, 'so is another upload');
    is_deeply([$nginx->workers], \@pids, 'by the same worker');
    $nginx->stop('QUIT');
    unlike($nginx->log_from(0), qr/\[(?:alert|crit|emerg)\]|SPECIMEN/,
           'nothing else is logged');
}

# --- a server for which another host calls, for ever

{
    my $fake = fake(reply());
    my $nginx = KTP::Nginx->new;
    my $address = $fake->address;

    start($nginx, $upstream->url, workers => 1,
          dedupe => 'ktp_dedupe on fleet; ktp_timeout 2s;',
          http => "ktp_redis $address timeout=5s; ktp_fleet_key file:$dir/key;")
        or BAIL_OUT($nginx->complaint);
    $nginx->wait_log(qr/fleet is reachable/);
    $upstream->reset;
    is(upload($nginx), 504, 'a call that does not end has a time limit');
    is(scalar($upstream->calls), 0, 'and is not made twice');
    like($fake->received, qr/claim/, 'it was asked for');
    unlike($fake->received, qr/SPECIMEN|\xff\xd8/, 'nothing of it was sent');
    $nginx->stop('QUIT');
}

# --- the client leaves before the server has the script

{
    my $go = "$dir/go";
    my $fake = fake(sub {
        return "-NOSCRIPT x\r\n" if $_[0] eq 'EVALSHA';

        KTP::Nginx::wait_for(sub { -e $go });
        return reply(0 => 'claimed');
    });
    my $nginx = KTP::Nginx->new;
    my $address = $fake->address;

    start($nginx, $upstream->url, workers => 1,
          dedupe => 'ktp_dedupe on fleet;',
          http => "ktp_redis $address timeout=5s; ktp_fleet_key file:$dir/key;")
        or BAIL_OUT($nginx->complaint);
    $nginx->wait_log(qr/fleet is reachable/);
    $upstream->reset;

    my $call = KTP::Flights::begin($nginx, undef, [forms(photo(++$number, 5000))]->[0]);

    ok(KTP::Nginx::wait_for(sub { $fake->received =~ /^EVAL\r/m }),
       'the server is sent the script');
    close $call->{sock};
    ok(KTP::Nginx::wait_for(sub { grep { $_->{status} == 499 } logged($nginx) }),
       'the client leaves');
    KTP::Nginx::write_file($go, '');
    ok(KTP::Nginx::wait_for(sub {
        $fake->received =~ /\r\nland\r\n(?:[^\r]*\r\n){3}idle\r\n/
    }), 'what it had claimed is left') or diag($fake->received);
    is(scalar($upstream->calls), 0, 'and no call is made');
    $nginx->stop('QUIT');
}

# --- no server

{
    my $nginx = KTP::Nginx->new;
    my $port = KTP::Nginx::free_port();

    start($nginx, $upstream->url, workers => 1,
          dedupe => 'ktp_dedupe on fleet;',
          http => "ktp_redis 127.0.0.1:$port timeout=1s;"
                  . "ktp_fleet_key file:$dir/key;")
        or BAIL_OUT($nginx->complaint);
    $upstream->reset;
    is(upload($nginx), 200, 'without a server') for 1 .. 3;
    is(scalar($upstream->calls), 3, 'each upload makes its call');
    $nginx->stop('QUIT');
}

done_testing();
