package Bench;

# What the benchmarks share: photos, the upstream, the gateway and its peers
# on ports of their own, the client, medians and tables.  Whatever is started
# is ended, by its pid, when the script ends.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep time);

my $Root;

BEGIN {
    $Root = abs_path(dirname(__FILE__) . '/../../..');
    unshift @INC, "$Root/t/lib";
}

use KTP::Nginx;

our @EXPORT = qw(photo json_photo program start_sink stop start_peer
                 stop_peer peers load_line hold median row header machine
                 pss cpu_time);

my $Owner = $$;
my $Dir;
my %Children;
my @Nginxes;


# The folder of the whole run.
sub scratch { return $Dir ||= KTP::Nginx::scratch_dir() }

sub program { return KTP::Nginx::build_dir() . "/bench/$_[0]" }


# -- bodies

# A file of exactly so many bytes that is a JPEG to everything but a decoder:
# the segments of a 1600x1200 photo, and a scan of random bytes in which 0xff
# is stuffed.  The same bytes in each run.
sub photo {
    my ($size) = @_;

    my $path = scratch() . "/photo-$size.jpg";
    return $path if -e $path;

    my $head = "\xff\xd8"
             . segment(0xe0, "JFIF\0" . pack 'CCCnnCC', 1, 1, 0, 1, 1, 0, 0)
             . segment(0xe1, "Exif\0\0" . 'x' x 6000)
             . segment(0xdb, "\0" . "\1" x 64)
             . segment(0xc0, pack 'CnnC C3C3C3', 8, 1200, 1600, 3,
                       1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0)
             . segment(0xc4, pack 'C*', 0x00, 1, (0) x 15, 0)
             . segment(0xc4, pack 'C*', 0x10, 1, (0) x 15, 0)
             . segment(0xda, pack 'C*', 3, 1, 0, 2, 0, 3, 0, 0, 63, 0);

    my $scan = '';
    my $want = $size - length($head) - 2;
    my $state = 20240817;

    while (length $scan < $want) {
        my @words;

        for (1 .. 4096) {
            $state ^= $state << 13 & 0xffffffff;
            $state ^= $state >> 17;
            $state ^= $state << 5 & 0xffffffff;
            push @words, $state;
        }

        my $bytes = pack 'N*', @words;
        $bytes =~ s/\xff/\xff\x00/g;
        $scan .= $bytes;
    }

    $scan = substr $scan, 0, $want;
    $scan =~ s/\xff\z/\x00/;

    KTP::Nginx::write_file($path, "$head$scan\xff\xd9");

    return $path;
}


sub segment {
    my ($marker, $data) = @_;

    return pack('CCn', 0xff, $marker, length($data) + 2) . $data;
}


# The same photo as a client of the vendor sends it.
sub json_photo {
    my ($size) = @_;

    my $path = scratch() . "/photo-$size.json";

    unless (-e $path) {
        my $image = KTP::Nginx::read_file(photo($size));
        my $body = '{"image":"' . encode_base64($image, '') . '"}';

        KTP::Nginx::write_file($path, $body);
    }

    return $path;
}


# -- processes

# Runs a command; returns its pid and a handle of its standard output.
sub spawn {
    my ($log, @cmd) = @_;

    pipe my $out, my $in or die "pipe: $!\n";

    my $pid = fork;
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $in;
        open STDERR, '>>', $log;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        exec { $cmd[0] } @cmd or do {
            print STDERR "$cmd[0]: $!\n";
            POSIX::_exit(127);
        };
    }

    close $in;
    $Children{$pid} = $cmd[0];

    return ($pid, $out);
}


sub stop {
    my ($pid) = @_;

    return unless delete $Children{$pid};
    kill 'TERM', $pid;
    waitpid $pid, 0;
}


# A self-signed certificate for localhost, trusted as its own issuer.
sub certificate {
    my $cert = scratch() . '/cert.pem';
    my $key = scratch() . '/key.pem';

    unless (-e $cert) {
        my $log = scratch() . '/openssl.log';

        system("openssl req -x509 -newkey rsa:2048 -nodes -days 2"
               . " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
               . " -keyout $key -out $cert 2> $log") == 0
            or die KTP::Nginx::read_file($log);
    }

    return ($cert, $key);
}


# The upstream: {pid, http => port, https => port, unix => path}.
sub start_sink {
    my (@options) = @_;

    my $path = scratch() . '/sink.sock';
    my ($pid, $out) = spawn(scratch() . '/sink.log', program('sink'), '--http',
                            '--https', certificate(), '--unix', $path,
                            @options);
    my %sink = (pid => $pid);

    while (my $line = <$out>) {
        return \%sink if $line eq "ready\n";
        $sink{$1} = $2 if $line =~ /^(\w+) (\S+)$/;
    }

    die KTP::Nginx::read_file(scratch() . '/sink.log');
}


# The gateway and what a user would have instead of it, in the order of the
# tables.  The first is what the others are compared with.  takes: what its clients send.
my @Peers = (
    { name => 'memory',  takes => 'json',
      title => 'proxy_pass, in memory' },
    { name => 'gateway', takes => 'jpeg',
      title => 'ngx_http_ktp' },
    { name => 'stream',  takes => 'jpeg', template => 'gateway.conf',
      title => 'ngx_http_ktp, request buffering off',
      extra => 'ktp_request_buffering off;' },
    { name => 'disk',    takes => 'json',
      title => 'proxy_pass, default buffer, to disk' },
    { name => 'lua',     takes => 'jpeg', title => 'lua cosocket',
      needs => 'ngx_http_lua_module.so' },
    { name => 'njs',     takes => 'jpeg', title => 'njs subrequest',
      needs => 'ngx_http_js_module.so' },
    { name => 'haproxy', takes => 'json',
      title => 'haproxy, JSON passed through' },
);

my $Modules = $ENV{BENCH_MODULES} || '/usr/lib/nginx/modules';

# Those that this machine has; names, if given, choose among them.
sub peers {
    my (@names) = @_;

    my %wanted = map { $_ => 1 } @names;

    return grep {
        (!@names || $wanted{$_->{name}})
            && (!$_->{needs} || -e "$Modules/$_->{needs}")
            && ($_->{name} ne 'haproxy' || find_program('haproxy'))
    } @Peers;
}


sub find_program {
    my ($name) = @_;

    for my $dir (split(/:/, $ENV{PATH}), '/usr/sbin') {
        return "$dir/$name" if -x "$dir/$name";
    }

    return;
}


# Starts one; returns a copy of it with port, worker (the pid that does the
# work) and dir.
sub start_peer {
    my ($peer, $sink) = @_;

    my %started = (%$peer, port => KTP::Nginx::free_port());

    return start_haproxy(\%started, $sink) if $peer->{name} eq 'haproxy';

    my $nginx = KTP::Nginx->new;
    my $conf = fill($peer->{template} || "$peer->{name}.conf", \%started, $sink, $nginx->prefix);

    push @Nginxes, $nginx;
    $nginx->start($conf) or die "$peer->{name}: " . $nginx->complaint . "\n";

    $started{nginx} = $nginx;
    $started{dir} = $nginx->prefix;

    # the master listens before its worker is there
    for (1 .. 500) {
        ($started{worker}) = $nginx->workers;
        last if $started{worker};
        sleep 0.01;
    }

    return \%started;
}


sub stop_peer {
    my ($started) = @_;

    return stop($started->{worker}) unless $started->{nginx};

    $started->{nginx}->stop;
    @Nginxes = grep { $_ != $started->{nginx} } @Nginxes;
}


sub start_haproxy {
    my ($started, $sink) = @_;

    my $file = scratch() . '/haproxy.cfg';
    KTP::Nginx::write_file($file, fill('haproxy.cfg', $started, $sink,
                                       scratch()));

    my ($pid) = spawn(scratch() . '/haproxy.log', find_program('haproxy'),
                      '-db', '-f', $file);
    $started->{worker} = $pid;
    $started->{dir} = scratch();

    for (1 .. 500) {
        return $started
            if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $started->{port});
        sleep 0.01;
    }

    die KTP::Nginx::read_file(scratch() . '/haproxy.log');
}


# A configuration from its template.
sub fill {
    my ($name, $peer, $sink, $dir) = @_;

    my ($cert) = certificate();
    my %set = (
        DIR => $dir, PORT => $peer->{port}, CERT => $cert,
        HTTP => $sink->{http}, HTTPS => $sink->{https},
        UNIX => $sink->{unix}, BENCH => "$Root/bench/gateway",
        MODULES => $Modules, USER => $> == 0 ? 'user root;' : '',
        MODULE => $peer->{module}
            || KTP::Nginx::build_dir() . '/ngx_http_ktp_module.so',
        EXTRA => $peer->{extra} || '',
        WORKERS => $peer->{workers} || 1,
    );

    my $text = template($name);

    $text =~ s/\@COMMON\@/template('common.conf')/eg;
    $text =~ s/\@HTTP_BLOCK\@/template('http.conf')/eg;
    $text =~ s/\@UPSTREAM_BLOCK\@/template('upstream.conf')/eg;
    $text =~ s/\@([A-Z]+)\@/exists $set{$1} ? $set{$1} : die "$name: $1\n"/eg;

    return $text;
}


sub template {
    return KTP::Nginx::read_file("$Root/bench/gateway/$_[0]")
        || die "bench/gateway/$_[0]: $!\n";
}


# -- load

sub body_of {
    my ($peer, $size) = @_;

    return $peer->{takes} eq 'json'
        ? ('--type', 'application/json', '--body', json_photo($size))
        : ('--type', 'image/jpeg', '--body', photo($size));
}


# One slice of load: {requests, errors, seconds, cpu, p50, p99}.
sub load_line {
    my ($peer, $path, $size, @options) = @_;

    my @cmd = (program('load'), '--port', $peer->{port}, '--path', "/$path",
               body_of($peer, $size), '--pid', $peer->{worker}, @options);

    open my $out, '-|', @cmd or die "$cmd[0]: $!\n";
    my $line = <$out>;
    close $out or die "$peer->{name}: the client failed\n";

    my %got = $line =~ /(\w+)=([\d.]+)/g;

    die "$peer->{name}: $got{errors} errors, see $peer->{dir}\n"
        if $got{errors};
    die "$peer->{name}: no requests\n" unless $got{requests};

    return \%got;
}


# Requests that are sent, or begun, and wait: a handle that ends them when it
# is closed, and what the client printed.
sub hold {
    my ($peer, $path, $size, @options) = @_;

    my @cmd = (program('load'), '--port', $peer->{port}, '--path', "/$path",
               body_of($peer, $size), '--hold', @options);

    pipe my $out, my $in or die "pipe: $!\n";
    my $pid = open my $handle, '|-';
    die "fork: $!\n" unless defined $pid;

    if ($pid == 0) {
        open STDOUT, '>&', $in;
        exec { $cmd[0] } @cmd or POSIX::_exit(127);
    }

    close $in;
    my $line = <$out> || '';
    my %got = $line =~ /(\w+)=(\d+)/g;

    return ($handle, \%got);
}


# -- figures

sub median {
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[$#sorted / 2] if @sorted % 2;
    return ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


sub header {
    my @cells = @_;

    return row(@cells) . row(map { '---' } @cells);
}


sub row { return '| ' . join(' | ', @_) . " |\n" }


# Bytes that a process has in memory, shared pages by its part of them.
sub pss {
    my ($pid) = @_;

    my ($kb) = KTP::Nginx::read_file("/proc/$pid/smaps_rollup")
        =~ /^Pss:\s+(\d+) kB/m;

    return defined $kb ? $kb * 1024 : die "pss of $pid: $!\n";
}


# Nanoseconds that a process has run.
sub cpu_time {
    my ($pid) = @_;

    my ($ns) = KTP::Nginx::read_file("/proc/$pid/schedstat") =~ /^(\d+)/;

    return defined $ns ? $ns : die "cpu time of $pid: $!\n";
}


sub machine {
    my ($model) = KTP::Nginx::read_file('/proc/cpuinfo')
        =~ /^model name\s*:\s*(.*)$/m;
    my $cores = () = KTP::Nginx::read_file('/proc/cpuinfo') =~ /^processor/mg;
    my ($load) = KTP::Nginx::read_file('/proc/loadavg') =~ /^(\S+)/;

    return "$model, $cores cores, load average $load before the run";
}


END {
    if ($$ == $Owner) {
        my $status = $?;

        $_->stop for @Nginxes;
        stop($_) for keys %Children;
        $? = $status;
    }
}


1;
