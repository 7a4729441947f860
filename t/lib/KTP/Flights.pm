package KTP::Flights;

# Identical uploads: an nginx with a zone of answers whose workers are told
# apart, the ways in which an image is sent, and clients in processes of their
# own.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use IO::Socket::INET;
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(forms photo start worker_socket begin gauge wait_gauge
                 processes client_post logged);


# The same image as a bare file, JSON and a form: [type, body] each.
sub forms {
    my ($image) = @_;

    return (['image/jpeg', $image],
            ['application/json', json_body($image)],
            ['multipart/form-data; boundary=ktp',
             multipart(['image', $image, 'a.jpg', 'image/jpeg'])]);
}


# An image like no other with another number.
sub photo {
    my ($number, $size) = @_;

    my $mark = KTP::Image::segment(0xfe, sprintf 'photo %012d', $number);

    return substr(jpeg(800, 600, size => $size || 0), 0, 2) . $mark
         . substr jpeg(800, 600, size => $size || 0), 2;
}


# Starts nginx with "ktp_dedupe on" at /d; server, http and main are added to
# these blocks, zone is the size of the zone.  Connections are spread over the
# workers by the kernel, at random.
sub start {
    my ($nginx, $url, %opt) = @_;

    my $prefix = $nginx->prefix;
    my $zone = $opt{zone} || '4m';
    my $dedupe = $opt{dedupe} // 'ktp_dedupe on;';

    $nginx->{flights_port} ||= KTP::Nginx::free_port();

    my $workers = $opt{workers} || 4;

    $nginx->start($nginx->config(
        master => 'on', workers => $workers, log_level => 'info',
        main => KTP::load_module() . ($opt{main} || ''),
        http => <<EOC)) or return 0;
    log_format flights '\$arg_id \$pid \$status \$ktp_outcome \$ktp_billed '
                       '\$ktp_source:\$ktp_flight';
    ktp_zone counters:1m;
    ktp_answer_zone answers:$zone;
    $dedupe
    @{[$opt{http} || '']}
    server {
        listen 127.0.0.1:$nginx->{flights_port} reuseport backlog=2048;
        client_max_body_size 30M;
        access_log $prefix/logs/flights.log flights;
        add_header X-Pid \$pid always;
        location = /pid { access_log off; return 200 "\$pid\\n"; }
        location = /metrics { access_log off; ktp_status; }
        location = /d { ktp_pass $url/x; }
        @{[$opt{server} || '']}
    }
EOC

    return KTP::Nginx::wait_for(sub { $nginx->workers == $workers });
}


# A connection that the worker of a pid has; of any worker without one.
sub worker_socket {
    my ($nginx, $pid) = @_;

    for (1 .. 2000) {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $nginx->{flights_port})
            or next;
        my $in = '';

        print $sock "GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n";
        $sock->flush;

        until ($in =~ /\r\n\r\n(\d+)\n/) {
            sysread $sock, $in, 4096, length $in or last;
        }

        return $sock if $in =~ /\r\n\r\n(\d+)\n/ && (!$pid || $1 == $pid);
    }

    die "no connection to worker $pid\n";
}


# Sends a whole request at a worker, or at any; what answer_of() takes.
sub begin {
    my ($nginx, $pid, $form, %opt) = @_;

    my $call = post_begin(worker_socket($nginx, $pid), $opt{uri} || '/d',
                          $form->[1], "Content-Type: $form->[0]",
                          @{ $opt{headers} || [] });

    local $SIG{PIPE} = 'IGNORE';

    while ($call->{out} ne '') {
        my $n = syswrite $call->{sock}, $call->{out};
        last unless $n;
        substr($call->{out}, 0, $n) = '';
    }

    $call->{out} = '';

    return $call;
}


# A value of the status page; -1 if it has none.
sub gauge {
    my ($nginx, $name) = @_;

    my $text = KTP::Nginx::curl(
        "http://127.0.0.1:$nginx->{flights_port}/metrics")->{body};

    return $text =~ /^\Q$name\E (\d+)$/m ? $1 : -1;
}


sub wait_gauge {
    my ($nginx, $name, $value, $seconds) = @_;

    return KTP::Nginx::wait_for(sub { gauge($nginx, $name) == $value },
                                $seconds);
}


# Runs code(1) to code(N) in processes of their own, and "during" meanwhile;
# returns the lines that they returned, and the number that failed.
sub processes {
    my ($n, $code, $during) = @_;

    my $dir = KTP::Nginx::scratch_dir();
    my @pids = map {
        my $pid = fork // die "fork: $!\n";

        unless ($pid) {
            $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
            $SIG{PIPE} = 'IGNORE';
            my $i = $_;
            my @lines = eval { $code->($i) };

            warn $@ if $@;
            KTP::Nginx::write_file("$dir/$i", join '', map { "$_\n" } @lines)
                unless $@;
            POSIX::_exit($@ ? 1 : 0);
        }

        $pid;
    } 1 .. $n;

    $during->() if $during;

    my $failed = 0;

    for my $pid (@pids) {
        waitpid $pid, 0;
        $failed++ if $?;
    }

    return ([map { split /\n/, KTP::Nginx::read_file("$dir/$_") } 1 .. $n],
            $failed);
}


# One request over the kept connection of a client, a hash that is empty at
# first.  Returns {status, body, pid, seconds, again}; the status is 0 if a new
# connection ended without an answer.  A kept one is replaced, since nginx may
# have closed it while it was idle; again is 1 then.
sub client_post {
    my ($client, $port, $uri, $form) = @_;

    my $request = "POST $uri HTTP/1.1\r\nHost: localhost\r\n"
                . "Content-Type: $form->[0]\r\nContent-Length: "
                . length($form->[1]) . "\r\n\r\n$form->[1]";

    for (my $again = 0; ; $again++) {
        my $kept = $client->{sock};

        $client->{sock} ||= IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                                  PeerPort => $port);

        my $answer = $client->{sock} ? exchange($client, $request)
                                     : {status => 0};

        return {%$answer, again => $again} if $answer->{status} || !$kept;
    }
}


sub exchange {
    my ($client, $request) = @_;

    my $sock = $client->{sock};
    my $start = time();
    my ($in, $at) = ('', 0);

    while ($at < length $request) {
        my $n = syswrite $sock, $request, length($request) - $at, $at;
        last unless $n;
        $at += $n;
    }

    my $end;

    until (($end = index($in, "\r\n\r\n") + 4) > 3) {
        next if sysread $sock, $in, 65536, length $in;
        delete $client->{sock};
        return {status => 0, seconds => time() - $start};
    }

    my $head = substr $in, 0, $end;
    my ($status) = $head =~ m{\AHTTP/1\.1 (\d+)};
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    my ($pid) = $head =~ /^X-Pid: (\d+)/mi;

    while (length($in) < $end + ($length // 0)) {
        next if sysread $sock, $in, 65536, length $in;
        $status = 0;
        last;
    }

    delete $client->{sock} if $head =~ /^Connection: close/mi || !$status;

    return {status => $status, body => substr($in, $end), pid => $pid || 0,
            head => $head, seconds => time() - $start};
}


# The lines of the access log: {id, pid, status, outcome, billed, source,
# flight}.
sub logged {
    my ($nginx) = @_;

    return map {
        my %line;
        @line{qw(id pid status outcome billed source flight)} = split /[ :]/;
        \%line;
    } split /\n/, KTP::Nginx::read_file($nginx->prefix
                                        . '/logs/flights.log');
}


1;
