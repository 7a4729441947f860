package KTP::Load;

# Many calls at once: an upstream of several processes that counts whole
# requests and keeps none, and clients that post over kept connections.

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use KTP::Nginx;
use KTP::Upstream;
use POSIX ();

my $Owner = $$;
my @Servers;


# url and a function that tells how many whole requests there were so far: all,
# or those whose path ends with a character.
sub upstream {
    my ($processes, $address) = @_;

    $address ||= '127.0.0.1';

    my $file = KTP::Nginx::scratch_dir() . '/count';
    my $listener = IO::Socket::INET->new(LocalAddr => $address,
                                         Listen    => 1024)
        or die "upstream: $!\n";

    KTP::Nginx::write_file($file, '');

    for (1 .. $processes) {
        my $pid = fork;

        die "fork: $!\n" unless defined $pid;
        push @Servers, $pid if $pid;
        next if $pid;

        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        eval { serve($listener, $file) };
        POSIX::_exit(0);
    }

    return ("http://$address:" . $listener->sockport, sub {
        my ($last) = @_;

        return -s $file unless defined $last;
        return scalar(() = KTP::Nginx::read_file($file) =~ /\Q$last/g);
    });
}


sub serve {
    my ($listener, $file) = @_;

    my %in;
    my $answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               . 'Content-Length: '
               . length($KTP::Upstream::Body) . "\r\n\r\n"
               . $KTP::Upstream::Body;

    open my $count, '>>', $file or die;

    $listener->blocking(0);
    my $select = IO::Select->new($listener);

    while (getppid() == $Owner) {
        for my $sock ($select->can_read(0.5)) {
            if ($sock == $listener) {
                my $new = $listener->accept or next;
                $select->add($new);
                next;
            }

            my $n = sysread $sock, $in{$sock}, 1 << 20,
                            length($in{$sock} // '');

            if (!$n) {
                delete $in{$sock};
                $select->remove($sock);
                close $sock;
                next;
            }

            while ($in{$sock} =~ /^(.*?\r\n\r\n)/s) {
                my $head = $1;
                my ($length) = $head =~ /^Content-Length: (\d+)/mi;

                last if length $in{$sock} < length($head) + $length;
                substr($in{$sock}, 0, length($head) + $length) = '';

                syswrite $count, $head =~ /^\S+ \S*(\S) / ? $1 : '?';
                syswrite $sock, $answer;
            }
        }
    }
}


# So many processes each post a request so many times to a port; returns
# how often each status came.  A connection that breaks is status 0, and
# the next request has a new one.  between is called while they are at work.
sub clients {
    my ($port, $processes, $times, $request, $between) = @_;

    my (@pipes, %sum);

    for my $client (1 .. $processes) {
        pipe my $out, my $in or die "pipe: $!\n";
        my $pid = fork;

        die "fork: $!\n" unless defined $pid;

        if ($pid) {
            close $in;
            push @pipes, [$pid, $out];
            next;
        }

        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        close $out;
        syswrite $in, join ' ', %{ post($port, $times, $request) };
        POSIX::_exit(0);
    }

    $between->() if $between;

    for (@pipes) {
        my ($pid, $out) = @$_;
        local $/;
        my %got = split / /, <$out>;

        waitpid $pid, 0;
        $sum{$_} += $got{$_} for keys %got;
    }

    return \%sum;
}


sub post {
    my ($port, $times, $request) = @_;

    my (%got, $sock);

    for (1 .. $times) {
        $sock ||= IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                        PeerPort => $port);
        my ($status, $keep) = $sock ? exchange($sock, $request) : (0, 0);

        $got{$status}++;
        undef $sock unless $keep;
    }

    return \%got;
}


# Status, whether the connection may be used again, and the body.
sub exchange {
    my ($sock, $request) = @_;

    my $in = '';

    for (my $at = 0; $at < length $request;) {
        my $n = syswrite $sock, $request, length($request) - $at, $at;
        last unless $n;
        $at += $n;
    }

    while (1) {
        return (0, 0) unless sysread $sock, $in, 65536, length $in;
        next unless $in =~ m{^HTTP/1\.1 (\d+)(.*?)\r\n\r\n}s;

        my ($status, $head, $end) = ($1, $2, $+[0]);
        my ($length) = $head =~ /^Content-Length: (\d+)/mi or return (0, 0);

        return ($status, $head !~ /^Connection: close/mi,
                substr $in, $end, $length)
            if length $in >= $end + $length;
    }
}


# Four connections to each of these ports at once, and so many requests over
# each, by processes of their own; returns a function that awaits them and has
# the sums of their statuses.
sub apart {
    my ($times, $request, @ports) = @_;
    my @pipes;

    for my $port (@ports) {
        pipe my $out, my $in or die;

        my $pid = fork // die "fork: $!\n";

        unless ($pid) {
            print $in join ' ', %{ clients($port, 4, $times, $request) };
            close $in;
            POSIX::_exit(0);
        }

        close $in;
        push @pipes, [$pid, $out];
    }

    return sub {
        my %sum;

        for (@pipes) {
            my ($pid, $out) = @$_;
            my %got = split / /, readline $out;

            waitpid $pid, 0;
            $sum{$_} += $got{$_} for keys %got;
        }

        return \%sum;
    };
}


END {
    if ($$ == $Owner) {
        my $status = $?;

        for my $pid (@Servers) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
        }

        $? = $status;
    }
}


1;
