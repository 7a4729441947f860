package KTP::Extractd;

# One ktp-extractd as a direct child of the test, in a folder of its own, and
# a small HTTP client for it, which can hold many requests open at a time.
#
#   my $d = KTP::Extractd->new('--workers', 1);    or ->try(...), which may
#   my $answer = $d->request(body => $jpeg);       end by itself
#
# KTP_VARIANT=asan runs the sanitized build; what it reports fails the
# script at its end.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use KTP::Nginx;

our $App_id = 'canary-app-id';
our $Api_key = 'canary-api-key';
our $Uri = '/v2/ktp/extract';

# no process can be made to look for leaks or for names of functions
our $Asan_options = 'detect_leaks=0:symbolize=0';

my $Owner = $$;
my $Reports = KTP::Nginx::scratch_dir();
my %Running;


sub binary { return KTP::Nginx::build_dir() . '/ktp-extractd' }


# A daemon that listens, or death.
sub new {
    my ($class, @args) = @_;

    my $self = $class->try(@args);
    die "ktp-extractd did not start:\n" . $self->log unless $self->{ready};

    return $self;
}


# A daemon that listens, or one that has ended: status() is its wait status.
# --socket and --credentials are given unless the arguments have them.
sub try {
    my ($class, @args) = @_;

    my $dir = KTP::Nginx::scratch_dir();
    my $self = bless { dir => $dir, log => "$dir/log" }, $class;
    my %given = map { $_ => 1 } @args;

    unless ($given{'--socket'} || $given{'--listen'}) {
        unshift @args, '--socket', "$dir/sock";
    }

    for my $i (0 .. $#args - 1) {
        $self->{socket} = $args[$i + 1] if $args[$i] eq '--socket';
    }

    unless ($given{'--credentials'}) {
        $self->{credentials} = $self->file('credentials',
                                           "$App_id:$App_id-2\n"
                                           . "$App_id:$Api_key\n");
        unshift @args, '--credentials', $self->{credentials};
    }

    $self->spawn(binary(), @args);
    $self->{ready} = $self->wait_for(qr/listening on (\S+)/);
    ($self->{address}) = $self->log =~ /listening on (\S+)/;

    return $self;
}


sub spawn {
    my ($self, @command) = @_;

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', $self->{log} or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        $ENV{ASAN_OPTIONS} = "$Asan_options:log_path=$Reports/asan";
        $ENV{UBSAN_OPTIONS} = "print_stacktrace=1:log_path=$Reports/ubsan";
        exec { $command[0] } @command or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;
}


# A file of the daemon's folder, mode 0600; its name.
sub file {
    my ($self, $name, $content, $mode) = @_;

    KTP::Nginx::write_file("$self->{dir}/$name", $content);
    chmod $mode // 0600, "$self->{dir}/$name";

    return "$self->{dir}/$name";
}


sub pid    { return $_[0]{pid} }
sub socket { return $_[0]{socket} }
sub status { return $_[0]{status} }
sub log    { return KTP::Nginx::read_file($_[0]{log}) }


# Waits until the log matches; false when the daemon ends before.
sub wait_for {
    my ($self, $pattern, $seconds) = @_;

    my $deadline = time() + ($seconds // 10 * $KTP::Nginx::Patience);

    while (time() < $deadline) {
        my $ended = $self->ended;

        return 1 if $self->log =~ $pattern;
        return 0 if $ended;
        sleep 0.005;
    }

    return 0;
}


# One that END has waited for has ended too.
sub ended {
    my ($self) = @_;

    if (!defined $self->{status} && waitpid($self->{pid}, WNOHANG) != 0) {
        $self->{status} = $?;
        delete $Running{ $self->{pid} };
    }

    return defined $self->{status};
}


# Waits for its end; true if it came.
sub wait_end {
    my ($self, $seconds) = @_;

    my $deadline = time() + ($seconds // 10 * $KTP::Nginx::Patience);

    until ($self->ended) {
        return 0 if time() > $deadline;
        sleep 0.005;
    }

    return 1;
}


sub signal {
    my ($self, $signal) = @_;

    return kill $signal, $self->{pid};
}


sub stop {
    my ($self) = @_;

    return if $self->ended;

    $self->signal('TERM');
    return if $self->wait_end;

    $self->signal('KILL');
    $self->wait_end;
}


# Pids of the children: the HTTP process first, then the workers.
sub children {
    my ($self) = @_;

    my $pid = $self->{pid};

    # oldest first, whatever their numbers: pids begin anew some day
    return split ' ', KTP::Nginx::read_file("/proc/$pid/task/$pid/children");
}


sub http_pid { return ($_[0]->children)[0] }


# Pids of the workers that are ready: those that wait for a message.
sub workers {
    my ($self, $n) = @_;

    $n //= 1;
    my $deadline = time() + 60 * $KTP::Nginx::Slow;

    while (time() < $deadline) {
        my (undef, @pids) = $self->children;

        @pids = grep {
            KTP::Nginx::read_file("/proc/$_/status") =~ /^Seccomp_filters:\s*2$/m
                && KTP::Nginx::read_file("/proc/$_/stat") =~ /^\d+ \(.*\) S /
        } @pids;

        return @pids if @pids == $n;
        sleep 0.005;
    }

    my @found = map { KTP::Nginx::read_file("/proc/$_/stat") }
                $self->children;

    die "not $n workers that wait, but:\n@found" . $self->log;
}


# -- client

# A connection; fatal when it is refused, unless asked not to be.
sub connect {
    my ($self, %opt) = @_;

    my $sock = defined $self->{socket}
        ? IO::Socket::UNIX->new(Peer => $self->{socket})
        : IO::Socket::INET->new(PeerAddr => $self->{address});

    die "connect: $!\n" unless $sock || $opt{may_fail};

    return $sock && bless { sock => $sock, buffer => '' },
        'KTP::Extractd::Connection';
}


# One request, on a connection of its own.
sub request {
    my ($self, @args) = @_;

    return $self->send(@args)->answer;
}


# Sends a request; the connection, for its answer later.
sub send {
    my ($self, @args) = @_;

    return $self->connect->send(@args);
}


sub reports { return join '', map { KTP::Nginx::read_file($_) }
                     glob "$Reports/*" }


sub DESTROY {
    my ($self) = @_;

    local ($?, $@);

    $self->stop if $$ == $Owner && $self->{pid};
}


END {
    if ($$ == $Owner) {
        my $status = $?;

        for my $pid (keys %Running) {
            kill 'TERM', $pid;
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }

        if (my $text = reports()) {
            $text =~ s/^/# /mg;
            print STDERR "# reports of the sanitizers:\n$text\n";
            $status ||= 99;
        }

        $? = $status;
    }
}


package KTP::Extractd::Connection;

use Time::HiRes qw(time);


# method, uri, type, body, app_id, api_key (undef: not sent), headers (text
# of whole lines), chunked.
sub send {
    my ($self, %r) = @_;

    my $body = $r{body} // '';
    my $method = $r{method} // 'POST';
    my $head = "$method " . ($r{uri} // $Uri) . " HTTP/1.1\r\nHost: x\r\n";

    $r{app_id} = $App_id unless exists $r{app_id};
    $r{api_key} = $Api_key unless exists $r{api_key};
    $r{type} = 'image/jpeg' unless exists $r{type};

    $head .= "App-ID: $r{app_id}\r\n" if defined $r{app_id};
    $head .= "API-Key: $r{api_key}\r\n" if defined $r{api_key};
    $head .= "Content-Type: $r{type}\r\n" if defined $r{type};
    $head .= $r{headers} if defined $r{headers};

    if ($r{chunked}) {
        $head .= "Transfer-Encoding: chunked\r\n";
        $body = KTP::Image::chunked($body, $r{chunked});

    } elsif ($method eq 'POST' && ($r{headers} // '') !~ /^Content-Length/m) {
        $head .= 'Content-Length: ' . length($body) . "\r\n";
    }

    return $self->write("$head\r\n$body");
}


sub write {
    my ($self, $data) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $sock = $self->{sock};
    my $pos = 0;

    # a server that has answered and closed does not read on
    while ($pos < length $data) {
        my $n = syswrite $sock, $data, 65536, $pos;
        last unless defined $n;
        $pos += $n;
    }

    return $self;
}


# The next answer: {status, head, body, json, seconds}, or undef when the
# connection ends or the seconds pass without a whole one.
sub answer {
    my ($self, $seconds) = @_;

    my $begun = time();
    my $deadline = $begun + ($seconds // 60 * $KTP::Nginx::Slow);

    $self->fill($deadline) or return until $self->{buffer} =~ /\r\n\r\n/;

    my ($head, $rest) = split /\r\n\r\n/, $self->{buffer}, 2;
    my ($status) = $head =~ /^HTTP\/1\.1 (\d+)/;
    my ($length) = $head =~ /^Content-Length: (\d+)\r?$/mi;

    # neither this status nor the answer to a HEAD has a body
    $length = 0 if $status == 100 || $self->{head};

    $self->{buffer} = $rest;
    while (length $self->{buffer} < ($length // 0)) {
        $self->fill($deadline) or return;
    }

    my $body = substr $self->{buffer}, 0, $length // 0, '';

    return {
        status => $status, head => $head, body => $body,
        json => scalar eval { JSON::PP->new->utf8->decode($body) },
        seconds => time() - $begun,
    };
}


sub fill {
    my ($self, $deadline) = @_;

    # a signal may end each of the two calls early
    while ((my $left = $deadline - time()) > 0) {
        next unless IO::Select->new($self->{sock})->can_read($left);

        my $n = sysread $self->{sock}, $self->{buffer}, 65536,
                        length $self->{buffer};
        return $n if defined $n || !$!{EINTR};
    }

    return 0;
}


sub close { return close $_[0]{sock} }


1;
