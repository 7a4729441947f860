package KTP::Redis;

# One redis-server as a child of the test, on a Unix socket in a folder of its
# own that goes away with the script, and a client of it.
#
#   my $redis = KTP::Redis->new('--appendonly', 'yes');
#   $redis->command('SET', 'a', 1);          a reply, see receive()
#
# The arguments of new() are those of redis-server.

use strict;
use warnings;

use IO::Socket::UNIX;
use KTP::Nginx;
use Time::HiRes qw(sleep time);

our $Binary = $ENV{TEST_REDIS_BINARY} || 'redis-server';

my $Owner = $$;
my %Running;


sub new {
    my ($class, @options) = @_;

    my $dir = KTP::Nginx::scratch_dir();
    my $self = bless {dir => $dir, path => "$dir/redis.sock",
                      options => \@options}, $class;

    return $self->start;
}


# Starts it, again after stop() or crash(), with the files that it left.
sub start {
    my ($self) = @_;

    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        exec { $Binary } $Binary, '--port', 0, '--unixsocket', $self->{path},
                         '--dir', $self->{dir}, '--save', '',
                         @{ $self->{options} }
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    KTP::Nginx::wait_for(sub {
        waitpid($pid, POSIX::WNOHANG()) == 0
            or die "redis-server ended: "
                   . KTP::Nginx::read_file("$self->{dir}/log");
        $self->connect && eval { $self->command('PING') eq 'PONG' };
    }, 10) or die "redis-server does not answer\n";

    return $self;
}


sub path { return $_[0]{path} }
sub pid  { return $_[0]{pid} }


# Ends it by a signal: TERM, after which all is on the disk, or KILL.
sub stop {
    my ($self, $signal) = @_;

    delete $self->{sock};
    kill $signal || 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $Running{ $self->{pid} };
    unlink $self->{path};
}


# A connection of its own for the object, in place of the last one.
sub connect {
    my ($self) = @_;

    return $self->{sock} = IO::Socket::UNIX->new(Peer => $self->{path});
}


# Another client of the same server.
sub client {
    my ($self) = @_;

    my $other = bless {path => $self->{path}}, ref $self;
    $other->connect or die "$self->{path}: $!\n";

    return $other;
}


sub send {
    my ($self, @words) = @_;

    my $out = '*' . @words . "\r\n"
            . join '', map { '$' . length . "\r\n$_\r\n" } @words;

    print { $self->{sock} } $out or die "redis: $!\n";
    $self->{sock}->flush;
    $self->{sent} += length $out;
}


# A reply: text or number, undef for none, a reference to an array, or an object
# of KTP::Redis::Error with the text.
sub receive {
    my ($self) = @_;

    my $line = readline $self->{sock};
    defined $line or die "redis: connection closed\n";
    $self->{received} += length $line;

    my ($type, $value) = $line =~ /^([-+:\$*])(.*)\r\n\z/
        or die "redis: not a reply: $line";

    return $value if $type =~ /[+:]/;
    return bless {text => $value}, 'KTP::Redis::Error' if $type eq '-';
    return undef if $value < 0;
    return [map { $self->receive } 1 .. $value] if $type eq '*';

    my $size = $value + 2;
    read($self->{sock}, my $text, $size) == $size or die "redis: $!\n";
    $self->{received} += $size;

    return substr $text, 0, $value;
}


sub command {
    my ($self, @words) = @_;

    $self->send(@words);
    return $self->receive;
}


# How often scripts were run since it was started.
sub scripts {
    my ($self) = @_;

    my $info = $self->info('commandstats');
    my $sum = 0;

    /^calls=(\d+)/ and $sum += $1
        for map { $info->{"cmdstat_$_"} // () } qw(eval evalsha);

    return $sum;
}


# Fields of INFO.
sub info {
    my ($self, @section) = @_;

    my %info = $self->command('INFO', @section) =~ /^(\w[^:\r\n]*):(.*?)\r$/mg;
    return \%info;
}


END {
    if ($$ == $Owner) {
        my $status = $?;

        kill 'KILL', keys %Running;
        waitpid $_, 0 for keys %Running;
        $? = $status;
    }
}


1;
