package KTP::Hosts;

# Hosts that are network namespaces, with cables to the namespace of the script,
# which is a namespace of its own too.
#
#   KTP::Hosts::alone();                          first of all
#   my $host = KTP::Hosts->new('a');
#   $host->cable('eth0', '10.20.0.11', '10.20.0.1');
#   KTP::Nginx->new(enter => $host->enter);
#   $host->cut('eth0');
#   $host->join('eth0');
#
# own() gives the script its addresses.

use strict;
use warnings;

use KTP::Nginx;
use Test::More ();


# Runs the script again in namespaces of its own.  All processes there end with
# it, however it ends, and with them the hosts.
sub alone {
    return if $ENV{KTP_TEST_HOSTS_ALONE};

    my @enter = qw(unshare --net --pid --fork --kill-child --mount-proc);

    Test::More::plan(skip_all => 'namespaces need root') if $> != 0;
    Test::More::plan(skip_all => 'ip, nsenter, setpriv or unshare is not there')
        if system('which ip nsenter setpriv unshare > /dev/null 2>&1') != 0;

    my $why = `@enter ip link add name host type veth peer name eth0 2>&1`;

    Test::More::plan(skip_all => 'there are no network namespaces: '
                                 . $why =~ s/\n.*//sr)
        if $? != 0;

    $ENV{KTP_TEST_HOSTS_ALONE} = 1;

    # its files go away with this process, which outlives it
    $ENV{TMPDIR} = KTP::Nginx::scratch_dir();

    defined(my $pid = fork) or die "fork: $!\n";
    exec qw(setpriv --pdeathsig KILL), @enter, $^X, $0 or die "setpriv: $!\n"
        if $pid == 0;

    local @SIG{qw(INT TERM HUP)} = (sub {
        kill 'KILL', $pid;
        waitpid $pid, 0;
        exit 1;
    }) x 3;

    waitpid $pid, 0;
    exit($? >> 8 || $? & 127);
}


sub run {
    my ($command) = @_;

    my $said = `($command) 2>&1`;

    $? == 0 or die "$command:\n$said";
}


sub own {
    run(join ' && ', 'ip link set lo up',
        map { "ip addr add $_/32 dev lo" } @_);
}


# A host is there as long as the script.
sub new {
    my ($class, $name) = @_;

    defined(my $pid = fork) or die "fork: $!\n";
    exec qw(unshare --net sleep infinity) or die "unshare: $!\n" if $pid == 0;

    my $own = readlink '/proc/self/ns/net';

    KTP::Nginx::wait_for(sub {
        ((readlink "/proc/$pid/ns/net") // $own) ne $own
    });

    my $self = bless { name => $name, pid => $pid,
                       enter => ['nsenter', '-t', $pid, '-n'] }, $class;

    run("@{ $self->{enter} } ip link set lo up");

    return $self;
}


# The command that enters the host.
sub enter { return $_[0]{enter} }


# A cable from a device of the host, with its address, to one of the script.
sub cable {
    my ($self, $device, $address, $here) = @_;

    my $enter = "@{ $self->{enter} }";
    my $end = "$self->{name}-$device";

    $self->{cables}{$device} = [$end, $address, $here];

    run("ip link add $end type veth peer name $device netns $self->{pid}"
        . " && $enter ip link set $device up"
        . " && $enter ip addr add $address/32 dev $device"
        . " && $enter ip route add $here dev $device");
    $self->join($device);
}


# Nothing arrives any more, and nobody is told so.
sub cut {
    my ($self, $device) = @_;

    run("ip link set $self->{cables}{$device}[0] down");
}


sub join {
    my ($self, $device) = @_;

    my ($end, $address, $here) = @{ $self->{cables}{$device} };

    run("ip link set $end up && ip route add $address dev $end src $here");
}


1;
