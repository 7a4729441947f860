package KTP::Client;

# A client of the gateway for tests that are no tables of blocks: sends a
# request, waits for the whole answer and tells how long it took.

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use KTP::Nginx;
use Time::HiRes qw(time);

our @EXPORT = qw(post post_begin answer_of);


# post(PORT, URI, BODY, HEADER...): {status, head, body, seconds}; the
# status is 0 when the connection ended without an answer.
sub post {
    my ($port, $uri, $body, @headers) = @_;

    return answer_of(post_begin($port, $uri, $body, @headers));
}


# The same without waiting: what answer_of() takes.  A body that is an array
# is sent as it is, behind a head with the headers only.  The port may be a
# connection that is open.
sub post_begin {
    my ($port, $uri, $body, @headers) = @_;

    my $sock = ref $port ? $port
             : IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port)
        or die "cannot connect: $!\n";

    unless (ref $body) {
        push @headers, 'Content-Length: ' . length $body;
        push @headers, 'Content-Type: application/json'
            unless grep { /^Content-Type:/i } @headers;
    }

    my $out = join "\r\n", "POST $uri HTTP/1.1", 'Host: localhost',
                           'Connection: close', @headers, '', '';

    $out .= ref $body ? join '', @$body : $body;

    return { sock => $sock, out => $out, start => time() };
}


sub answer_of {
    my ($call) = @_;

    my ($sock, $in) = ($call->{sock}, '');
    my $set = IO::Select->new($sock);
    my $deadline = time() + 10 * $KTP::Nginx::Patience;

    local $SIG{PIPE} = 'IGNORE';
    $sock->blocking(0);

    while (time() < $deadline) {
        my ($readable, $writable) = IO::Select::select(
            $set, $call->{out} ne '' ? $set : undef, undef, 0.5);

        if ($writable && @$writable) {
            my $n = syswrite $sock, $call->{out};

            substr($call->{out}, 0, $n) = '' if $n;
            $call->{out} = '' if !defined $n && !$!{EAGAIN};
        }

        if ($readable && @$readable) {
            my $n = sysread $sock, $in, 65536, length $in;

            last if defined $n ? $n == 0 : !$!{EAGAIN};
        }
    }

    close $sock;

    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    my ($status) = ($head // '') =~ m{^HTTP/1\.1 (\d+)};

    return { status => $status || 0, head => $head // '',
             body => $body // '', seconds => time() - $call->{start} };
}


1;
