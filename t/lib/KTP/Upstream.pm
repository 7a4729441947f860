package KTP::Upstream;

# A scripted HTTP/1.1 server in a process of its own, on the loopback or a
# Unix socket.  It writes down every request and answers as it was told.

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use KTP::Nginx;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF);
use Storable ();
use Time::HiRes qw(sleep time);

# What the contract calls a success.
our $Body = '{"message":"ok","status_code":"V-1","data":'
          . '{"nik":"3171234567890001","full_name":"SPECIMEN"}}';

my $Owner = $$;
my %Running;


# new()                     listens on a port of the loopback
# new(port => N)            listens on that one
# new(answer => [STEPS])    answers in this way from the first request on
# new(unix => "/a/b.sock")  listens there
# new(buffer => N)          the kernel takes little more for it than it reads
sub new {
    my ($class, %opt) = @_;

    my $self = bless { dir => KTP::Nginx::scratch_dir() }, $class;
    my $listener;

    mkdir "$self->{dir}/calls";
    $self->answer(@{ $opt{answer} }) if $opt{answer};

    if ($opt{unix}) {
        $listener = IO::Socket::UNIX->new(Local  => $opt{unix},
                                          Listen => 1024);
        $self->{url} = "unix:$opt{unix}:";
        chmod 0666, $opt{unix};

    } else {
        $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                          LocalPort => $opt{port} || 0,
                                          Proto     => 'tcp',
                                          ReuseAddr => 1,
                                          Listen    => 1024);
        $self->{port} = $listener->sockport if $listener;
        $self->{url} = "http://127.0.0.1:$self->{port}" if $listener;
    }

    die "upstream: $!\n" unless $listener;

    setsockopt $listener, SOL_SOCKET, SO_RCVBUF, pack 'i', $opt{buffer}
        if $opt{buffer};

    $self->{pid} = fork;
    die "fork: $!" unless defined $self->{pid};

    unless ($self->{pid}) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        eval { $self->serve($listener) };
        warn $@ if $@;
        POSIX::_exit(0);
    }

    $Running{$self->{pid}} = 1;

    return $self;
}


sub url  { return $_[0]{url} }
sub port { return $_[0]{port} }


# The next requests are answered with these steps: a string is sent as it
# is, {delay => SECONDS} waits, {close => 1} closes, {reset => 1} resets,
# {hang => 1} says nothing any more, {until => FILE} waits until the file is
# there, {vendor => 'free'} is the answer of a vendor that takes a reference_id
# once and echoes it: a repeat is refused, and not charged; {vendor => 'paid'}
# charges it, see charged(); {random => SEED, good => [RESPONSES]} as the only
# step is something else for each request.  With {early => N} as the first step
# the answer begins when N bytes of the request are there.  No steps: the
# usual answer.
sub answer {
    my ($self, @steps) = @_;

    Storable::store(\@steps, "$self->{dir}/answer.new");
    rename "$self->{dir}/answer.new", "$self->{dir}/answer";
}


# A whole response around a body.
sub response {
    my ($status, $body, @headers) = @_;

    @headers = 'Content-Type: application/json' unless @headers;

    return join "\r\n", "HTTP/1.1 $status", @headers,
                        'Content-Length: ' . length $body, '', $body;
}


# Forgets the requests so far and the answer.
sub reset {
    my ($self) = @_;

    unlink glob "$self->{dir}/calls/*.call";
    unlink "$self->{dir}/answer", "$self->{dir}/charged";
}


# The whole requests so far, in their order: {head, body, connection}.
sub calls {
    my ($self) = @_;

    return map {
        my ($head, $body) = split /\r\n\r\n/, KTP::Nginx::read_file($_), 2;

        { head => "$head\r\n", body => $body, connection => /-(\d+)\.call$/ }
    } sort glob "$self->{dir}/calls/*.call";
}


# The body of such a request, from which the chunked coding is removed.
sub body_of {
    my ($call) = @_;

    my $in = $call->{body} // '';
    my $body = '';

    return $in unless ($call->{head} // '')
                      =~ /^Transfer-Encoding: chunked\r$/mi;

    $body .= substr $in, 0, hex $1, ''
        while $in =~ s/\A(?:\r\n)?([0-9a-f]+)\r\n//i;

    return $body;
}


# Waits until there are so many whole requests; returns whether.
sub wait_calls {
    my ($self, $n) = @_;

    return KTP::Nginx::wait_for(sub {
        (() = glob "$self->{dir}/calls/*.call") >= $n
    });
}


# What a vendor has charged so far: the reference_id of each request, '' for
# none.
sub charged {
    my ($self) = @_;

    return KTP::Nginx::read_file("$self->{dir}/charged") =~ /^(.*)$/mg
        if -e "$self->{dir}/charged";
    return ();
}


# How many connections were made so far.
sub connections {
    my ($self) = @_;

    return -s "$self->{dir}/connections" || 0;
}


# How many bytes came on all connections.
sub received {
    my ($self) = @_;

    return KTP::Nginx::read_file("$self->{dir}/received") || 0;
}


# How many of them the other side has ended.
sub closes {
    my ($self) = @_;

    return -s "$self->{dir}/closes" || 0;
}


sub stop {
    my ($self) = @_;

    return unless delete $Running{$self->{pid}};

    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


# -- the server's side

sub serve {
    my ($self, $listener) = @_;

    my $select = IO::Select->new($listener);
    my %clients;

    $self->{seen} = $self->{accepted} = 0;
    $SIG{PIPE} = 'IGNORE';

    while (1) {
        my $due = $self->send_due(\%clients, $select);
        my @ready = $select->can_read($due);

        exit 0 if getppid() != $Owner;

        for my $sock (@ready) {
            if ($sock == $listener) {
                $self->accept_client($listener, \%clients, $select);

            } elsif (my $client = $clients{$sock}) {
                $self->read_client($client)
                    or drop($client, \%clients, $select);
            }
        }
    }
}


sub accept_client {
    my ($self, $listener, $clients, $select) = @_;

    my $sock = $listener->accept or return;

    $sock->blocking(0);
    $select->add($sock);
    $clients->{$sock} = {
        sock => $sock, in => '', out => '', steps => [], at => 0,
        number => ++$self->{accepted},
    };

    $self->tally('connections');

    my ($first) = $self->peek;

    $clients->{$sock}{early} = 1, push @{ $clients->{$sock}{steps} },
        grep { !(ref $_ && $_->{accept}) } $self->steps
        if ref $first && $first->{accept};
}


# Counts in a file: one byte each.
sub tally {
    my ($self, $what) = @_;

    open my $out, '>>', "$self->{dir}/$what";
    print $out '.';
}


sub drop {
    my ($client, $clients, $select) = @_;

    delete $clients->{ $client->{sock} };
    $select->remove($client->{sock});
    close $client->{sock};
}


sub read_client {
    my ($self, $client) = @_;

    my $n = sysread $client->{sock}, $client->{in}, 1 << 20,
                    length $client->{in};

    return 1 if !defined $n && ($! == EAGAIN || $! == EINTR);

    unless ($n) {
        $self->tally('closes');
        return 0;
    }

    $self->{received} += $n;
    KTP::Nginx::write_file("$self->{dir}/received", $self->{received});
    $self->begin_early($client);

    while (defined(my $length = request_length($client->{in}))) {
        last if length $client->{in} < $length;

        my $request = substr $client->{in}, 0, $length, '';
        my $file = sprintf '%s/calls/%06d-%d.call', $self->{dir},
                           ++$self->{seen}, $client->{number};

        KTP::Nginx::write_file("$file.new", $request);
        rename "$file.new", $file;

        push @{ $client->{steps} }, $self->vendor($request, $self->steps) unless $client->{early};
        delete $client->{early};
    }

    return 1;
}


# Length of the request at the start of a buffer; undef: not known yet.
sub request_length {
    my ($in) = @_;

    my $head = index $in, "\r\n\r\n";
    return undef if $head < 0;

    my $fields = substr $in, 0, $head + 2;
    my $length = $head + 4;

    return $length + $1 if $fields =~ /^Content-Length: *(\d+)\r$/mi;
    return $length unless $fields =~ /^Transfer-Encoding: *chunked\r$/mi;

    while ($length < length $in && substr($in, $length, 18) =~ /^([0-9a-f]+)[^\n]*\n/i) {
        my $size = hex $1;

        $length += length($&) + $size + 2;
        return $length if $size == 0;
    }

    return undef;
}


sub begin_early {
    my ($self, $client) = @_;

    return if $client->{early};

    my ($first) = $self->peek;
    return unless ref $first && defined $first->{early};
    return if length $client->{in} < $first->{early};

    $client->{early} = 1;
    (undef, my @rest) = $self->steps;
    push @{ $client->{steps} }, @rest;
}


# The steps of the next answer, which they are now those of.
sub steps {
    my ($self) = @_;

    my @steps = @{ $self->script };

    delete $self->{drawn};

    if (@steps && ref $steps[0] && $steps[0]{once}) {
        unlink "$self->{dir}/answer";
        shift @steps;
    }

    return @steps ? @steps : response('200 OK', $Body);
}


# The steps with the vendor's answer to a request in place of its step.  The
# ids that it has seen outlive reset().
sub vendor {
    my ($self, $request, @steps) = @_;

    return map {
        ref $_ && $_->{vendor} ? $self->vendor_answer($request, $_->{vendor})
                               : $_
    } @steps;
}


sub vendor_answer {
    my ($self, $request, $kind) = @_;

    my ($head, $body) = split /(?<=\r\n)\r\n/, $request, 2;
    my ($text) = body_of({ head => $head, body => $body })
                 =~ /"reference_id":"((?:[^"\\]|\\.)*)"\} *\z/;
    my $id = $text // '';
    my $again = $id ne '' && $self->{ids}{$id}++;

    unless ($again && $kind eq 'free') {
        open my $out, '>>', "$self->{dir}/charged";
        print $out "$id\n";
    }

    return response('400 Bad Request', '{"message":"reference_id exists",'
                    . '"error_code":"INVALID_PAYLOAD_REFERENCE_ID_EXISTS"}')
        if $again;

    return response('200 OK', $Body =~ s/\}\}\z/,"reference_id":"$id"}}/r);
}


# The steps of an answer that may not be next.
sub peek {
    my ($self) = @_;

    my @steps = @{ $self->script };

    shift @steps if @steps && ref $steps[0] && $steps[0]{once};

    return @steps;
}


sub script {
    my ($self) = @_;

    my $file = "$self->{dir}/answer";
    my $steps = -e $file ? Storable::retrieve($file) : [];

    return $steps unless @$steps && ref $steps->[0] && $steps->[0]{random};

    $self->{seeded} ||= srand $steps->[0]{random};

    return $self->{drawn} ||= [draw(@{ $steps->[0]{good} || [] })];
}


# An answer at random: mostly a good one, of those that are given.
sub draw {
    my (@good) = @_;

    my $good = @good ? $good[rand @good] : response('200 OK', $Body);
    my $cut = substr $good, 0, int rand length $good;
    my @end = rand() < 0.5 ? { close => 1 } : { reset => 1 };
    my @ways = (
        ([{ delay => rand 0.05 }, $good]) x 12,
        [response('400 Bad Request', '{"error_code":"KTP_NOT_DETECTED"}')],
        [response('503 Unavailable', '<html>', 'Content-Type: text/html')],
        ["HTTP/1.1 100 Continue\r\n\r\n", { delay => 0.01 }, $good],
        [{ hang => 1 }],
        [$cut, { hang => 1 }],
        [$cut, @end],
        [@end],
        [{ early => 1 + int rand 100_000 }, @end],
        [{ early => 1 + int rand 50_000 },
         response('403 Forbidden', '{"error_code":"X"}'), { close => 1 }],
        [{ accept => 1 }, @end],
        [{ accept => 1 }, { deaf => 1 }, { delay => rand 0.5 }, @end],
        [$good, @end],
        [$good . $good],
        [join '', map { chr int rand 256 } 1 .. 200],
        [response('200 OK', '{"a":"' . 'x' x 300_000 . '"}')],
        [map { ($_, { delay => 0.01 }) } split //, $good],
    );

    return @{ $ways[rand @ways] };
}


# Does the steps that are due; returns the seconds until the next, which is
# also how often a parent that is gone is noticed.
sub send_due {
    my ($self, $clients, $select) = @_;

    my $next = 0.5;

    for my $client (values %$clients) {
        my $end = send_steps($client);

        $select->remove($client->{sock}) if $client->{deaf};

        if ($end) {
            setsockopt $client->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
                if $end eq 'reset';
            drop($client, $clients, $select);
            next;
        }

        my $wait = $client->{out} ne '' ? 0.005
                 : @{ $client->{steps} } ? $client->{at} - time() : $next;

        $wait = 0 if $wait < 0;
        $next = $wait if $wait < $next;
    }

    return $next;
}


sub send_steps {
    my ($client) = @_;

    while (1) {
        if ($client->{out} ne '') {
            my $n = syswrite $client->{sock}, $client->{out};

            return defined $n || $! == EAGAIN || $! == EINTR ? '' : 'close'
                unless $n;

            substr($client->{out}, 0, $n) = '';
            next;
        }

        return '' if $client->{at} > time();

        my $step = shift @{ $client->{steps} };

        return '' unless defined $step;
        return 'close' if ref $step && $step->{close};
        return 'reset' if ref $step && $step->{reset};

        if (!ref $step) {
            $client->{out} = $step;

        } elsif ($step->{until}) {
            next if -e $step->{until};
            unshift @{ $client->{steps} }, $step;
            $client->{at} = time() + 0.01;

        } elsif ($step->{hang}) {
            $client->{at} = 9e9;

        } elsif ($step->{deaf}) {
            $client->{deaf} = 1;

        } else {
            $client->{at} = time() + ($step->{delay} || 0);
        }
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
        local $?;

        for my $pid (keys %Running) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
        }

        %Running = ();
    }
}


1;
