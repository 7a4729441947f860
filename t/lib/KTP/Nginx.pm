package KTP::Nginx;

# One nginx as a direct child of the test, in a folder of its own that goes
# away with the object.  "daemon off" is given on the command line, so that
# a configuration need not say it.
#
# KTP_VARIANT=asan          runs nginx under the sanitizers' libraries
# TEST_NGINX_USE_VALGRIND=1 runs nginx under valgrind
# TEST_NGINX_BINARY         is run in place of the nginx in PATH
# LD_LIBRARY_PATH           is for nginx only: the test's own curl can need what
#                           the libcurl of that folder was built without
#
# new(resolver => 1) has nginx look names up in hosts() only.
# new(arrival => 1) has bytes arrive while nginx asks for their number
# (arrival.c).
# new(hold => 1) has workers wait at their start while hold() says so (hold.c).
# new(enter => [COMMAND]) runs nginx by a command such as "nsenter -t PID -n".
#
# What a sanitizer or valgrind reports fails the test script at its end.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep time);

our $Binary   = absolute($ENV{TEST_NGINX_BINARY} || 'nginx');
our $Variant  = $ENV{KTP_VARIANT} || 'release';
our $Valgrind = $ENV{TEST_NGINX_USE_VALGRIND};

my $Libraries = delete $ENV{LD_LIBRARY_PATH};

# directives by which a new binary inherits what nginx is run with
our $Environment = join ' ', map { "env $_;" }
                   qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS UBSAN_OPTIONS);

# what a run under an instrumented nginx takes longer
our $Slow = $Valgrind ? 10 : $Variant eq 'asan' ? 3 : 1;

# A wait ends when what it waits for is there.  Its bound is reached by a fault
# only, and so this many times longer than an idle machine needs.
our $Patience = 6 * $Slow;

my $Owner = $$;
my $Reports;
my $Undefined = '';
my @Preload;
my %Running;
my %Daemons;

# Ctrl-C and a harness that gives up go through END like everything else.
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };


# A program by its whole path: nginx runs itself again by it.
sub absolute {
    my ($program) = @_;

    return abs_path($program) if $program =~ m{/};

    my ($found) = grep { -x } map { "$_/$program" } split /:/, $ENV{PATH};

    return $found || $program;
}


# The build folder of the variant; KTP_BUILD says otherwise.
sub build_dir {
    my $root = abs_path(dirname(__FILE__) . '/../../..');

    my $dir = $ENV{KTP_BUILD}
        || ($Variant eq 'release' ? 'build' : "build/$Variant");

    return $dir =~ m{^/} ? $dir : "$root/$dir";
}


# A folder for the whole script, removed at its end.
sub scratch_dir {
    my $dir = tempdir('ktp-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    # a worker may run as another user than root
    chmod 0755, $dir;

    return $dir;
}


# A TCP port of the loopback that nothing listens on, and that no other script
# is given until this one ends: a port that is free now may be taken before
# nginx binds it, or by others where nobody is meant to listen.  It is reserved
# by an abstract Unix socket, whose name is in use while a process has it open.
# It is taken below the range that the kernel hands out by itself, for a port
# from there may become a colleague's outgoing connection before nginx binds it.
my $Next = 10000 + ($$ * 7) % 20000;
my @Reserved;

sub free_port {
    for (1 .. 2000) {
        my $port = $Next;

        $Next = 10000 if ++$Next >= 32000;

        my $name = IO::Socket::UNIX->new(Local  => "\0ktp-test-port-$port",
                                         Listen => 1) or next;
        my $sock = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                         LocalPort => $port,
                                         Proto     => 'tcp',
                                         Listen    => 1) or next;

        push @Reserved, $name;
        return $port;
    }

    die "no free port on the loopback\n";
}


sub new {
    my ($class, %opt) = @_;

    my $self = bless { prefix => $opt{prefix} || scratch_dir(),
                       enter => $opt{enter} || [] }, $class;

    $self->{resolver} = preload('resolver') if $opt{resolver};
    $self->{nomem} = preload('nomem') if $opt{nomem};
    $self->{arrival} = preload('arrival') if $opt{arrival};
    $self->{hold} = preload('hold') if $opt{hold};

    mkdir "$self->{prefix}/$_" for qw(logs html conf);
    $self->{log} = "$self->{prefix}/logs/error.log";

    if ($opt{late}) {
        $self->{late} = preload('late');
        $self->{$_} = 0 for qw(ahead slow);
        $self->late;
    }

    return $self;
}


# Names for nginx, in place of the machine's resolver (resolver.c): each
# [name, address, milliseconds that the look-up takes, and that of IPv6 where
# libcurl does it by itself].
sub hosts {
    my ($self, @names) = @_;

    write_file("$self->{prefix}/hosts.new", join '', map {
        my ($name, $address, $ms, $ipv6) = @$_;
        sprintf "%s %d %d %s\n", $name, $ms // 0, $ipv6 // $ms // 0, $address
    } @names);
    rename "$self->{prefix}/hosts.new", "$self->{prefix}/hosts";
}


# The names that nginx looked up so far, one for each time.  libcurl 8.20 and
# newer asks for IPv6 by a call of its own, which is not counted.
sub lookups {
    my ($self) = @_;

    return grep { !/ IPv6$/ } split /\n/,
                                    read_file("$self->{prefix}/hosts.log");
}


# The calls, and so the threads, that one look-up takes: one or two.
sub lookup_calls {
    my ($self) = @_;

    return read_file("$self->{prefix}/hosts.log") =~ / IPv6$/m ? 2 : 1;
}


# With nomem => 1: whether the mappings of the module fail (nomem.c).
sub nomem {
    my ($self, $fail) = @_;

    $fail ? write_file("$self->{prefix}/nomem", '')
          : unlink "$self->{prefix}/nomem";
}


# With nomem => 1: the Nth allocation from now on fails, from 0, and no other.
sub nomem_once {
    my ($self, $n) = @_;

    write_file("$self->{prefix}/nomem.new", "$n " . ++$self->{orders});
    rename "$self->{prefix}/nomem.new", "$self->{prefix}/nomem";
}


# Whether it has failed.
sub nomem_failed { return !-e "$_[0]{prefix}/nomem" }


# With hold => 1, as root: whether workers wait at their start.
sub hold {
    my ($self, $wait) = @_;

    $wait ? write_file("$self->{prefix}/hold", '')
          : unlink "$self->{prefix}/hold";
}


# With late => 1: the process whose clock is a second behind (late.c), or none.
sub late {
    my ($self, $pid) = @_;

    # in place: it is mapped
    open my $file, -e "$self->{prefix}/late" ? '+<' : '>',
         "$self->{prefix}/late" or die "late: $!\n";
    syswrite $file, pack 'llq', $pid || 0, @$self{qw(ahead slow)};
}


# With late => 1: the time of nginx passes at once, as its monotonic clock has
# it; timers that are due then expire.
sub pass {
    my ($self, $ms) = @_;

    $self->{ahead} += $ms;
    $self->late;
}


# With late => 1: its time passes a hundred times slower from now on, or as
# usual again.
sub slow_down {
    my ($self, $slow) = @_;

    $self->{slow} = $slow ? int(1e9 * clock_gettime(CLOCK_MONOTONIC)) : 0;
    $self->late;
}


sub preload {
    my ($name) = @_;

    my $source = dirname(__FILE__) . "/../$name.c";
    my $file = scratch_dir() . "/$name.so";

    system('cc', '-O1', '-shared', '-fPIC', '-o', $file, $source) == 0
        or die "$name.c was not compiled\n";

    return $file;
}


sub prefix { return $_[0]{prefix} }
sub port   { return $_[0]{port} }
sub pid    { return $_[0]{pid} }
sub status { return $_[0]{status} }


# A whole configuration with all its files below the prefix, around what
# differs: main, http and server are text for these blocks, the rest are
# values of directives.
sub config {
    my ($self, %opt) = @_;

    my $prefix = $self->{prefix};
    my %set = (
        log_level => 'debug', main => '', server => '', root => 1,
        server_name => 'localhost', master => 'off', workers => 1,
        connections => 1024, %opt);

    $set{port} ||= $self->{port} ||= free_port();
    $set{http} = '' unless defined $set{http};
    $set{server} = '' unless defined $set{server};

    my $user = $> == 0 ? 'user root;' : '';
    my $root = $set{root}
        ? "location / { root $prefix/html; index index.html index.htm; }" : '';
    my $temp = join "\n    ",
               map { "${_}_temp_path $prefix/${_}_temp;" }
               grep { $set{http} !~ /\b${_}_temp_path\b/ }
               qw(client_body proxy fastcgi scgi uwsgi);

    return <<EOC;
worker_processes $set{workers};
master_process $set{master};
error_log $prefix/logs/error.log $set{log_level};
$user
$set{main}
events { accept_mutex off; worker_connections $set{connections}; }
http {
    access_log $prefix/logs/access.log;
    $temp
    default_type text/plain;
    keepalive_timeout 68000ms;
$set{http}
    server {
        listen 127.0.0.1:$set{port};
        server_name '$set{server_name}';
        client_max_body_size 30M;
$set{server}
        $root
    }
}
EOC
}


# Writes a configuration and starts nginx with it.  True when it listens;
# false when it ended by itself, with the wait status in status().
sub start {
    my ($self, $conf) = @_;

    my $file = "$self->{prefix}/conf/nginx.conf";
    my $pidfile = "$self->{prefix}/logs/nginx.pid";

    write_file($file, $conf);
    unlink $pidfile;
    delete $self->{status};

    $self->{pid} = $self->spawn('-c', $file,
                                '-g', "daemon off; pid $pidfile;");
    $Running{$self->{pid}} = $self->{pid};

    my $deadline = time() + 10 * $Patience;

    # nginx writes its pid after the sockets listen
    until (-s $pidfile) {
        return 0 if $self->reap;

        if (time() > $deadline) {
            $self->stop;
            return 0;
        }

        sleep 0.002;
    }

    return 1;
}


# Starts it as a daemon of its own, whose binary can be upgraded: one with
# "daemon off" takes its parent for the old binary.  Its pid is that in the
# file, now and later.
sub start_daemon {
    my ($self, $conf) = @_;

    my $file = "$self->{prefix}/conf/nginx.conf";
    my $pidfile = "$self->{prefix}/logs/nginx.pid";

    write_file($file, $conf);
    $Daemons{$pidfile} = 1;

    waitpid $self->spawn('-c', $file, '-g', "pid $pidfile;"), 0;

    # the pid file is written before the master waits for signals, and one
    # that comes in between is heeded with the next only
    return $? == 0 && wait_for(sub { -s $pidfile && children($self->daemon_pid) });
}


# Pid of a daemon; with ".oldbin" that of the binary before.
sub daemon_pid {
    my ($self, $suffix) = @_;

    my $file = "$self->{prefix}/logs/nginx.pid" . ($suffix || '');
    my ($pid) = read_file($file) =~ /^(\d+)/;

    return $pid || 0;
}


# True when the process is gone, or waits for its parent only.
sub is_gone {
    my ($pid) = @_;

    return 1 unless kill 0, $pid;
    return read_file("/proc/$pid/stat") =~ /^\d+ \(.*\) Z/s;
}


# Polls until the code is true; false when that took too long, which is six
# times the seconds that are given.
sub wait_for {
    my ($code, $seconds) = @_;

    my $deadline = time() + ($seconds || 5) * $Patience;

    until ($code->()) {
        return 0 if time() > $deadline;
        sleep 0.005;
    }

    return 1;
}


# Waits until no day ends in the seconds to come, in a zone whose offset from
# UTC is one of these hours: quotas would begin anew in the middle of a test.
sub same_day {
    my ($seconds, @offsets) = @_;

    for (@offsets) {
        my $left = 86400 - (time() + $_ * 3600) % 86400;

        sleep $left + 1 if $left < $seconds * $Slow;
    }
}


# nginx -t: its wait status and what it printed.
sub test {
    my ($self, $conf) = @_;

    my $file = "$self->{prefix}/conf/nginx.conf";

    write_file($file, $conf);

    my $pid = $self->spawn('-t', '-c', $file,
                           '-g', "pid $self->{prefix}/logs/nginx.pid;");
    waitpid $pid, 0;

    my $status = $?;
    my $said = read_file("$self->{prefix}/logs/stderr");

    # Angie begins its messages with its own name
    return ($status, $said =~ s/^angie: /nginx: /mgr);
}


sub spawn {
    my ($self, @args) = @_;

    my %env = environment();

    if ($self->{nomem}) {
        $env{LD_PRELOAD} = join ' ', grep { defined } $env{LD_PRELOAD},
                                                      $self->{nomem};
        $env{KTP_TEST_NOMEM} = "$self->{prefix}/nomem";
    }

    if ($self->{arrival}) {
        $env{LD_PRELOAD} = join ' ', grep { defined } $env{LD_PRELOAD},
                                                      $self->{arrival};
    }

    if ($self->{hold}) {
        $env{LD_PRELOAD} = join ' ', grep { defined } $env{LD_PRELOAD},
                                                      $self->{hold};
        $env{KTP_TEST_HOLD} = "$self->{prefix}/hold";
    }

    if ($self->{late}) {
        $env{LD_PRELOAD} = join ' ', grep { defined } $env{LD_PRELOAD},
                                                      $self->{late};
        $env{KTP_TEST_LATE} = "$self->{prefix}/late";
    }

    if ($self->{resolver}) {
        $env{LD_PRELOAD} = join ' ', grep { defined } $env{LD_PRELOAD},
                                                      $self->{resolver};
        $env{KTP_TEST_HOSTS} = "$self->{prefix}/hosts";
    }

    my @cmd = (@{ $self->{enter} }, wrapper(), $Binary, '-p',
               "$self->{prefix}/", '-e', $self->{log}, @args);

    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return $pid if $pid;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', "$self->{prefix}/logs/stderr";
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
    @ENV{keys %env} = values %env;

    exec { $cmd[0] } @cmd or do {
        print STDERR "$cmd[0]: $!\n";
        POSIX::_exit(127);
    };
}


sub wrapper {
    return () unless $Valgrind;

    my $file = reports_dir() . '/valgrind.%p';
    my $suppress = dirname(__FILE__) . '/../valgrind.suppress';

    return ('valgrind', '--quiet', "--log-file=$file",
            '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite',
            -f $suppress ? "--suppressions=$suppress" : ());
}


sub environment {
    my %env = defined $Libraries ? (LD_LIBRARY_PATH => $Libraries) : ();

    return %env unless $Variant eq 'asan';

    unless (@Preload) {
        for my $lib (qw(libasan.so libubsan.so)) {
            chomp(my $path = `gcc -print-file-name=$lib`);
            push @Preload, $path;
        }
    }

    my $file = reports_dir();

    return (
        %env,
        LD_PRELOAD    => "@Preload",
        ASAN_OPTIONS  => 'detect_leaks=0:detect_odr_violation=0'
                         . ":abort_on_error=0:log_path=$file/asan",
        UBSAN_OPTIONS => "print_stacktrace=1:log_path=$file/ubsan",
    );
}


sub reports_dir {
    return $Reports ||= scratch_dir();
}


# True when the child has ended; its status is kept.  One that END has waited
# for is gone too.
sub reap {
    my ($self, $flags) = @_;

    return 1 unless $self->{pid};

    $flags = WNOHANG unless defined $flags;
    return 0 if waitpid($self->{pid}, $flags) == 0;

    $self->{status} = $?;
    delete $Running{$self->{pid}};
    delete $self->{pid};

    $self->keep_undefined if $Variant eq 'asan';

    return 1;
}


# Waits for the child to end; false when that took too long.
sub wait_end {
    my ($self, $seconds) = @_;

    my $deadline = time() + ($seconds || 5 * $Patience);

    until ($self->reap) {
        return 0 if time() > $deadline;
        sleep 0.002;
    }

    return 1;
}


# Ends it: quickly, and by force when it does not listen.
sub stop {
    my ($self, $signal) = @_;

    return unless $self->{pid};

    # a signal that comes between nginx's look at its flag and epoll_wait() is
    # heard with the next one, which under valgrind may be a minute later
    for (1 .. 30) {
        kill $signal || 'TERM', $self->{pid};
        return if $self->wait_end($Slow);
    }

    warn "nginx $self->{pid} did not end by itself\n";
    kill 'KILL', $self->{pid};
    $self->reap(0);
}


sub signal {
    my ($self, $signal) = @_;

    kill $signal, $self->{pid} if $self->{pid};
}


# Pids of the workers; the one process itself when there is no master.
sub workers {
    my ($self) = @_;

    return children($self->{pid});
}


sub children {
    my ($parent) = @_;
    my @pids;

    for my $file (glob '/proc/[0-9]*/stat') {
        # one that has ended and is not waited for yet is none
        my ($pid, $ppid) = read_file($file) =~ /^(\d+) \(.*\) [^\sZ] (\d+)/s
            or next;
        push @pids, $pid if $ppid == $parent;
    }

    return @pids;
}


# The log from an offset on, as one string.
sub log_from {
    my ($self, $offset) = @_;

    return read_file($self->{log}, $offset || 0);
}


# Waits until the log, or what follows an offset in it, has a match of the
# pattern; returns whether it has.
sub wait_log {
    my ($self, $pattern, $offset) = @_;

    return wait_for(sub { $self->log_from($offset) =~ $pattern });
}


# Whether all processes of nginx sleep: one that has something to do and waits
# for a processor does not.
sub rests {
    my ($self) = @_;

    my $pid = $self->{pid} or return 1;
    my @children = split ' ', read_file("/proc/$pid/task/$pid/children");

    return !grep { read_file("/proc/$_/stat") =~ /^\d+ \(.*\) [^SZ] /s }
           $pid, @children;
}


# Waits until nginx has done what there is to do: it sleeps, and no line has
# come to the log for a moment.  One that never sleeps is not waited for longer
# than for anything else.
sub settle {
    my ($self) = @_;

    my ($size, $quiet) = (-1, 0);
    my $deadline = time() + 5 * $Patience;

    until ($quiet >= 5 || time() > $deadline) {
        my $now = -s $self->{log} || 0;

        $quiet = $now == $size && $self->rests ? $quiet + 1 : 0;
        $size = $now;
        sleep 0.005 * $Slow;
    }
}


# Why nginx did not start, in one line.
sub complaint {
    my ($self) = @_;

    my $text = read_file("$self->{prefix}/logs/stderr");
    my @lines = grep { /\[emerg\]|\[alert\]/ } split /\n/, $text;

    return @lines ? $lines[0] : $text || 'no message';
}


sub write_file {
    my ($path, $data) = @_;

    open my $out, '>', $path or die "$path: $!\n";
    binmode $out;
    print $out $data;
    close $out or die "$path: $!\n";
}


# The whole file, or what is in it from an offset; "" when there is none.
sub read_file {
    my ($path, $offset) = @_;

    open my $in, '<', $path or return '';
    binmode $in;
    seek $in, $offset, 0 if $offset;
    local $/;

    my $data = <$in>;

    return defined $data ? $data : '';
}


# One request by curl: {status, head, body, exit}; the head is that of the
# last response.
sub curl {
    my (@args) = @_;

    open my $in, '-|', 'curl', '-sS', '-i', '--max-time', 10 * $Patience, @args
        or die "curl: $!\n";
    binmode $in;

    local $/;
    my $text = <$in>;
    $text = '' unless defined $text;
    close $in;

    my %answer = (exit => $? >> 8, head => '', status => 0);

    while ($text =~ s/\A(HTTP\/\S+ (\d+).*?\r\n)\r\n//s) {
        @answer{qw(head status)} = ($1, $2);
        last if $2 >= 200;
    }

    $answer{body} = $text;

    return \%answer;
}


# Text of all reports so far; "" is a clean run.
sub reports {
    return '' unless $Reports;
    return join '', $Undefined, map { read_file($_) } glob "$Reports/*";
}


# What UBSan said is in the log: beside ASan's library, its own does not heed
# log_path.
sub keep_undefined {
    my ($self) = @_;

    for my $file ($self->{log}, "$self->{prefix}/logs/stderr") {
        $Undefined .= join '',
            read_file($file) =~ /^.*runtime error: .*\n(?:[ ]+\#.*\n)*/gm;
    }
}


sub DESTROY {
    my ($self) = @_;

    # the exit code of the script is in it, once that ends
    local $?;

    $self->stop if $$ == $Owner;
}


END {
    if ($$ == $Owner) {
        my $status = $?;

        for my $pid (keys %Running) {
            kill 'TERM', $pid;

            my $deadline = time() + 5 * $Patience;
            my $gone;
            until ($gone = waitpid($pid, WNOHANG)) {
                last if time() > $deadline;
                sleep 0.002;
            }

            unless ($gone) {
                kill 'KILL', $pid;
                waitpid $pid, 0;
            }
        }

        for my $pid (map { read_file($_) =~ /^(\d+)/ }
                     map { ($_, "$_.oldbin") } keys %Daemons)
        {
            kill 'TERM', $pid;
            wait_for(sub { is_gone($pid) }) or kill 'KILL', $pid;
        }

        if (my $text = reports()) {
            $text =~ s/^/# /mg;
            print STDERR "# reports of the instrumented nginx:\n$text";
            $status ||= 1;
        }

        $? = $status;
    }
}


1;
