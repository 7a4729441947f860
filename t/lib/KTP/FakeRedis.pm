package KTP::FakeRedis;

# A server on a port of the loopback that runs a function with each connection,
# in a process of its own, and closes it when the function returns:
#
#   KTP::FakeRedis->new(sub {
#       my ($sock, $self) = @_;
#       $self->read_greeting($sock);
#       print $sock "+PONG\r\n";
#   });

use strict;
use warnings;

use IO::Socket::INET;
use KTP::Nginx;
use POSIX ();

my $Owner = $$;
my %Running;


sub new {
    my ($class, $speak) = @_;

    my $self = bless { dir => KTP::Nginx::scratch_dir() }, $class;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                         ReuseAddr => 1, Listen => 64)
        or die "listen: $!\n";

    $self->{address} = '127.0.0.1:' . $listener->sockport;
    $self->{pid} = fork;
    die "fork: $!\n" unless defined $self->{pid};

    unless ($self->{pid}) {
        setpgrp;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';

        while (my $sock = $listener->accept) {
            $self->note('connections', 'x');
            next if fork;

            $sock->autoflush(1);
            eval { $speak->($sock, $self) };
            POSIX::_exit(0);
        }

        POSIX::_exit(0);
    }

    $Running{$self->{pid}} = 1;

    return $self;
}


sub note {
    my ($self, $file, $text) = @_;

    open my $out, '>>', "$self->{dir}/$file" or return;
    syswrite $out, $text;
    close $out;
}


sub address     { return $_[0]{address} }
sub connections { return -s "$_[0]{dir}/connections" || 0 }


# What was sent in greetings, of all connections.
sub received { return KTP::Nginx::read_file("$_[0]{dir}/received") }


# What the function noted as times.
sub times { return split /\n/, KTP::Nginx::read_file("$_[0]{dir}/times") }


# Reads until a PING has come; for the function of a server.
sub read_greeting {
    my ($self, $sock) = @_;

    my $in = '';

    while ($in !~ /PING\r\n$/) {
        sysread $sock, $in, 4096, length $in or last;
    }

    $self->note('received', $in);
}


sub end {
    my ($pid) = @_;

    return unless delete $Running{$pid};

    # with its connections
    kill 'KILL', -$pid;
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    end($self->{pid}) if $$ == $Owner;
}


END {
    if ($$ == $Owner) {
        local $?;
        end($_) for keys %Running;
    }
}


1;
