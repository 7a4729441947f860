package Test::Nginx::Socket;

# A small runner of the Test::Nginx::Socket format on Test::Base, for where
# the real module is not installed.  Same sections, same count of
# assertions; nginx is a direct child and the log is polled, so that a block
# takes some 60 ms.
#
# Not here, as no test of this tree uses it: reload by HUP, HTTP/2 and
# HTTP/3, UDP, stap, leak and benchmark modes.

use strict;
use warnings;

use Test::Base -base;

use Digest::MD5 ();
use Digest::SHA ();
use HTTP::Response;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use KTP::Nginx;
use List::Util qw(max);
use POSIX qw(EAGAIN EINTR);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
    add_block_preprocessor add_cleanup_handler add_response_body_check
    add_test_cleanup_handler bail_out env_to_nginx html_dir log_level
    master_off master_on no_long_string no_root_location no_shuffle
    repeat_each run_tests server_addr server_name server_port
    server_port_for_client server_root timeout worker_connections workers
);

my $Log_level = $ENV{TEST_NGINX_LOG_LEVEL} || 'debug';
my $Master = 'off';
my $Root_location = 1;
my $Repeat = 1;
my $Server_name = 'localhost';
my $Timeout = $ENV{TEST_NGINX_TIMEOUT} || 20;
my $Connections = 64;
my $Workers = 1;

my $Nginx = KTP::Nginx->new;
my $Root = $Nginx->prefix;
my $Html = "$Root/html";
my $Port = KTP::Nginx::free_port();

my (@Preprocessors, @Cleanup, @Test_cleanup, @Body_checks, @Env);
my ($Tcp_pid, $Tcp_socket, $Tcp_query_file);
my $Log_pos = 0;
my %Rand_ports;

$ENV{TEST_NGINX_SERVER_ROOT} = $Root;
$ENV{TEST_NGINX_HTML_DIR} = $Html;
$ENV{TEST_NGINX_SERVER_PORT} = "127.0.0.1:$Port";


# -- what a test script calls

sub add_block_preprocessor(&) { unshift @Preprocessors, shift }
sub add_cleanup_handler($) { unshift @Cleanup, shift }
sub add_test_cleanup_handler($) { unshift @Test_cleanup, shift }
sub add_response_body_check($) { push @Body_checks, shift }
sub env_to_nginx(@) { push @Env, @_ }
sub html_dir() { return $Html }
sub server_root() { return $Root }
sub server_addr(@) { return '127.0.0.1' }
sub server_port(@) { return $ENV{TEST_NGINX_SERVER_PORT} }
sub server_port_for_client(@) { return $Port }
sub master_on() { $Master = 'on' }
sub master_off() { $Master = 'off' }
sub no_root_location() { $Root_location = 0 }

# there is neither a shuffle nor a cut of long strings to switch off
sub no_shuffle() { }
sub no_long_string() { }


sub setting {
    my ($var, @value) = @_;

    $$var = $value[0] if @value;
    return $$var;
}

sub log_level(@) { return setting(\$Log_level, @_) }
sub repeat_each(@) { return setting(\$Repeat, @_) }
sub server_name(@) { return setting(\$Server_name, @_) }
sub timeout(@) { return setting(\$Timeout, @_) }
sub worker_connections(@) { return setting(\$Connections, @_) }
sub workers(@) { return setting(\$Workers, @_) }


sub bail_out(@) {
    Test::More::BAIL_OUT(join '', @_);
}


sub run_tests() {
    for my $block (Test::Base::blocks()) {
        $_->($block) for @Preprocessors;
        $block->set_value(name => "$0 " . $block->name);

        run_block($block);
        $_->($block) for @Test_cleanup;
    }

    $_->() for @Cleanup;
    $Nginx->stop;
}


# -- a block

sub run_block {
    my ($block) = @_;

    %Rand_ports = ();

    my $config = expand($block, $block->config);

    return run_must_die($block, $config) if defined $block->must_die;

    if (defined $config) {
        start($block, $config) or return;

    } elsif (!$Nginx->pid) {
        bail_out($block->name . ' - no "config" and no nginx to reuse');
    }

    if ($block->init) {
        eval $block->init;
        bail_out($block->name . " - init failed: $@") if $@;
    }

    $Log_pos = 0;

    for my $turn (0 .. $Repeat - 1) {
        write_user_files($block) if $turn;

        tcp_start($block) if defined $block->tcp_listen;
        run_requests($block, $turn);
        tcp_end($block) if defined $block->tcp_listen;
    }
}


sub start {
    my ($block, $config) = @_;

    prepare($block);
    return 1 if $Nginx->start(whole_config($block, $config));

    fail($block->name . ' - nginx did not start: ' . $Nginx->complaint);
    return 0;
}


# An empty prefix for the next nginx.
sub prepare {
    my ($block) = @_;

    $Nginx->stop;
    system('rm', '-rf', glob("$Root/*"));
    mkdir "$Root/$_" for qw(logs html conf);

    KTP::Nginx::write_file("$Html/index.html",
                           '<html><head><title>It works!</title></head>'
                           . '<body>It works!</body></html>');
    write_user_files($block);
}


sub run_must_die {
    my ($block, $config) = @_;

    my $name = $block->name;
    my $code = $block->must_die;

    for my $turn (0 .. $Repeat - 1) {
        prepare($block);
        $Log_pos = 0;

        my $status = $Nginx->start(whole_config($block, $config))
            ? 0 : $Nginx->status;

        if ($status & 127) {
            fail("$name - nginx died of a signal");

        } elsif ($code =~ /^\d+$/) {
            is($code, $status >> 8, "$name - die with the expected exit code");

        } else {
            isnt($status, 0, "$name - die as expected");
        }

        check_error_log($block, $turn);
        $Nginx->stop;
    }
}


sub write_user_files {
    my ($block) = @_;

    my $files = $block->user_files or return;

    unless (ref $files) {
        my @parts = split /^>>> (\S+)[^\n]*\n/m, $files;

        shift @parts;
        $files = [];
        push @$files, [splice @parts, 0, 2] while @parts;
    }

    for my $file (@$files) {
        my ($path, $body) = @$file;

        $path = "$Html/$path" unless $path =~ m{^/};
        my ($dir) = $path =~ m{(.*)/};
        system('mkdir', '-p', $dir) unless -d $dir;

        KTP::Nginx::write_file($path, expand($block, $body // ''));
    }
}


sub whole_config {
    my ($block, $config) = @_;

    return $Nginx->config(
        log_level   => $block->log_level || $Log_level,
        main        => join('', map { "env $_;\n" } @Env)
                       . (expand($block, $block->main_config) // ''),
        http        => expand($block, $block->http_config),
        server      => $config,
        server_name => $block->server_name // $Server_name,
        port        => $Port,
        root        => $Root_location,
        master      => $Master,
        workers     => $Workers,
        connections => $Connections,
    );
}


# $TEST_NGINX_... in a section is the environment's value, and
# $TEST_NGINX_RAND_PORT_n a free port that is the same in the whole block.
sub expand {
    my ($block, $text) = @_;

    return $text if !defined $text || ref $text;

    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{
        my $name = $1;

        $name =~ /^TEST_NGINX_RAND_PORT_/
            ? $Rand_ports{$name} ||= KTP::Nginx::free_port()
            : $ENV{$name} // bail_out($block->name . " - no $name in %ENV");
    }eg;

    return $text;
}


sub seconds {
    my ($time) = @_;

    return undef unless defined $time;
    return $1 / 1000 if $time =~ /^\s*([\d.]+)\s*ms\s*$/;
    return $1 if $time =~ /^\s*([\d.]+)\s*s?\s*$/;

    bail_out("bad time \"$time\"");
}


# -- requests

# All requests of a block: each a list of packets [bytes, delay before].
sub requests_of {
    my ($block) = @_;

    if (defined(my $raw = $block->raw_request)) {
        my $delay = seconds($block->raw_request_middle_delay);

        return [map { [$_, $delay] } ref $raw ? @$raw : $raw];
    }

    if (my $list = $block->pipelined_requests) {
        my @text = map {
            my $last = $_ == $#$list;
            my $request = expand($block, $list->[$_]);

            map { $_->[0] }
                build_request($block, [[$request]], $_,
                              $last ? 'close' : 'keep-alive');
        } 0 .. $#$list;

        return [[join '', @text]];
    }

    my $request = $block->request;

    bail_out($block->name . ' - no request') unless defined $request;

    unless (ref $request) {
        1 while $request =~ s/\A(?:\s*\#[^\n]+\s+|\s+)//;
        return [build_request($block, [[$request]], 0, 'close')];
    }

    return map {
        my @packets = map { ref $_ ? [@$_{qw(value delay_before)}] : [$_] }
                      ref $request->[$_] ? @{ $request->[$_] }
                                         : $request->[$_];
        [build_request($block, \@packets, $_, 'close')];
    } 0 .. $#$request;
}


# "METHOD URI [VERSION]" and a body become a whole request, with the limits
# of the packets where they were.
sub build_request {
    my ($block, $packets, $index, $connection) = @_;

    my $text = join '', map { $_->[0] } @$packets;

    my ($line, $method, $uri, $version) =
        $text =~ m{\A([ ]*(\S+)(?:[ ]+(\S+))?(?:[ ]+(\S+))?[ ]*\r?(?:\n|\z))}
        or bail_out($block->name . ' - bad request line');

    my $body = substr $text, length $line;
    my ($more, $chunked) = more_headers($block, $index);

    if (!$chunked && $body ne '' && $more !~ /^Content-Length:/m) {
        $body =~ s/^\s+|\s+$//g;
        $more .= 'Content-Length: ' . length($body) . "\r\n";
    }

    my $head = "$method " . ($uri // '/') . ' '
             . ($version // 'HTTP/1.1') . "\r\n"
             . ($more =~ /^Host:/mi ? '' : "Host: $Server_name\r\n")
             . ($more =~ /^Connection/mi ? ''
                                         : "Connection: $connection\r\n")
             . "$more\r\n";

    my $whole = $head . $body;
    my ($seen, $sent, @out) = (0, 0);

    for my $packet (@$packets) {
        $seen += length $packet->[0];

        my $end = $seen < length $line ? $seen
                                       : length($head) + $seen - length $line;

        $end = length $whole if $packet == $packets->[-1];
        $end = $sent if $end < $sent;

        push @out, [substr($whole, $sent, $end - $sent), $packet->[1]];
        $sent = $end;
    }

    return @out;
}


sub more_headers {
    my ($block, $index) = @_;

    my $more = $block->more_headers // '';
    $more = $more->[$index] if ref $more;

    bail_out($block->name . " - no more_headers for request $index")
        unless defined $more;

    my ($out, $chunked) = ('', 0);

    for my $header (split /\n+/, $more) {
        next if $header =~ /^\s*\#/;

        my ($key, $value) = split /:\s*/, $header, 2;

        $value //= '';
        $chunked = 1 if lc $key eq 'transfer-encoding' && $value eq 'chunked';
        $out .= "$key: $value\r\n";
    }

    return ($out, $chunked);
}


sub run_requests {
    my ($block, $turn) = @_;

    my @requests = requests_of($block);
    my $pipelined = $block->pipelined_requests
        ? @{ $block->pipelined_requests } : 0;
    my $many = $pipelined || @requests > 1;
    my $total = $pipelined || @requests;
    my $raw;

    for my $index (0 .. $total - 1) {
        $raw = send_request($block, $requests[$index]) if $index < @requests;

        unless (defined $block->ignore_response) {
            my ($res, $headers, $left) = parse_response($block, $raw);

            check_response($block, $res, $headers, $turn,
                           sub { pick($block, $_[0], $index, $many) });
            $raw = $left;
        }

        sleep $block->wait if $block->wait;
        check_error_log($block, $turn);
        check_access_log($block, $turn) unless defined $block->ignore_response;
    }
}


# The expectation of one request among many.
sub pick {
    my ($block, $value, $index, $many) = @_;

    return $value->[$many ? $index : 0] if ref $value eq 'ARRAY';

    bail_out($block->name . ' - many requests need an array of expectations')
        if $many;

    return $value;
}


# Sends the packets and reads until the server closes; returns what came.
sub send_request {
    my ($block, $packets) = @_;

    my $idle = (seconds($block->timeout) // $Timeout) * $KTP::Nginx::Slow;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $Port,
                                     Timeout  => $idle);
    unless ($sock) {
        fail($block->name . " - cannot connect: $!");
        return '';
    }

    $sock->blocking(0);
    local $SIG{PIPE} = 'IGNORE';

    my $set = IO::Select->new($sock);
    my ($out, $in, $not_before) = ('', '', 0);
    my @packets = @$packets;
    my $writing = 1;
    my $last = time();

    while (1) {
        if ($writing && $out eq '' && time() >= $not_before) {
            if (my $next = shift @packets) {
                $out = $next->[0];
                $not_before = @packets && $packets[0][1]
                    ? time() + $packets[0][1] : 0;

            } else {
                $writing = 0;
                shut($sock, $block->shutdown) if defined $block->shutdown;
            }
        }

        my $wait = $last + $idle - time();
        my $pause = max(0, $not_before - time());
        my $paused = $writing && $out eq '' && $pause > 0;

        my ($readable, $writable) = IO::Select::select(
            $set, $out ne '' ? $set : undef, undef,
            $paused && $pause < $wait ? $pause : max(0, $wait));

        if ($readable && @$readable) {
            my $n = sysread $sock, $in, 65536, length $in;

            last if defined $n ? $n == 0 : $! != EAGAIN && $! != EINTR;
            $last = time();
        }

        if ($writable && @$writable) {
            my $n = syswrite $sock, $out;

            if (defined $n) {
                substr($out, 0, $n) = '';
                $last = time();

            } elsif ($! != EAGAIN && $! != EINTR) {
                # what the server said before it closed is still to be read
                ($out, $writing) = ('', 0);
            }
        }

        $last = time() if $paused;

        if (time() - $last >= $idle) {
            fail('ERROR: client socket timed out - ' . $block->name)
                unless defined $block->abort;
            last;
        }
    }

    close $sock;

    return $in;
}


sub shut {
    my ($sock, $how) = @_;

    shutdown $sock, $how =~ /^\s*$/ ? 1 : $how;
}


# -- responses

sub parse_response {
    my ($block, $raw) = @_;

    $raw //= '';

    my ($headers) = $raw =~ /\A(.*?\r\n)\r\n/s;
    my $res = HTTP::Response->parse($raw);
    my $code = $res->code // '';

    $res->code(undef) if $code !~ /^\d+$/;
    return ($res, $headers // '') if $code eq '304' || $code eq '101';

    my $length = $res->header('Content-Length');
    my $body = $res->content;
    my $left;

    if (($res->header('Transfer-Encoding') // '') eq 'chunked') {
        ($body, $left) = dechunk($block, $body);
        $res->content($body);

    } elsif (defined $length && $length =~ /^\d+$/
             && length $body > $length) {
        $left = substr $body, $length;
        $res->content(substr $body, 0, $length);
    }

    return ($res, $headers // '', $left);
}


sub dechunk {
    my ($block, $raw) = @_;

    my $body = '';

    while ($raw =~ s/\A[ \t]*([0-9A-Fa-f]+)[ \t]*(?:;[^\r]*)?\r\n//) {
        my $size = hex $1;

        if ($size == 0) {
            # trailers end with an empty line
            return ($body, $raw eq '' ? undef : $raw)
                if $raw =~ s/\A(?:[^\r\n]+\r\n)*\r\n//;
            last;
        }

        last if length $raw < $size + 2 || substr($raw, $size, 2) ne "\r\n";

        $body .= substr $raw, 0, $size;
        $raw = substr $raw, $size + 2;
    }

    fail($block->name . ' - invalid chunked body received');
    return ($body);
}


sub check_response {
    my ($block, $res, $headers, $turn, $pick) = @_;

    my $name = $block->name;
    my $code = $res->code || '';

    if (defined $block->error_code_like) {
        my $re = $pick->($block->error_code_like);
        like($code, qr/$re/sm, "$name - status code ok");

    } else {
        my $want = defined $block->error_code ? $pick->($block->error_code)
                                              : 200;
        is($code, $want, "$name - status code ok");
    }

    if (defined $block->raw_response_headers_like) {
        my $re = $pick->($block->raw_response_headers_like);
        like($headers, qr/$re/s, "$name - raw resp headers like");
    }

    if (defined $block->raw_response_headers_unlike) {
        my $re = $pick->($block->raw_response_headers_unlike);
        unlike($headers, qr/$re/s, "$name - raw resp headers unlike");
    }

    check_headers($block, $res, $headers, $pick);
    filter_body($block, $res, $pick);
    check_body($block, $res, $turn, $pick);

    $_->($block, $res->content, 0, $turn, 0) for @Body_checks;
}


sub check_headers {
    my ($block, $res, $headers, $pick) = @_;

    my $name = $block->name;
    my $like = !defined $block->response_headers;
    my $text = $like ? $block->response_headers_like
                     : $block->response_headers;

    return unless defined $text;

    for my $line (split /\n/, $pick->($text)) {
        $line =~ s/^\s+|\s+$//g;

        if (!$like && $line =~ s/^!\s*//) {
            unlike($headers, qr/^\s*\Q$line\E\s*:/mi,
                   "$name - header $line not present in the raw headers");
            next;
        }

        my ($key, $want) = split /\s*:\s*/, $line, 2;
        my $got = $res->header($key) // '';

        if ($like) {
            like($got, qr/^$want$/, "$name - header $key like ok");
            next;
        }

        $want =~ s/\$ServerPort(?:ForClient)?\b/$Port/g;
        is($got, $want, "$name - header $key ok");
    }
}


sub filter_body {
    my ($block, $res, $pick) = @_;

    my $filters = $block->response_body_filters;
    return unless defined $filters;

    my %known = (
        md5_hex  => \&Digest::MD5::md5_hex,
        sha1_hex => \&Digest::SHA::sha1_hex,
        uc       => sub { uc $_[0] },
        lc       => sub { lc $_[0] },
        ucfirst  => sub { ucfirst $_[0] },
        lcfirst  => sub { lcfirst $_[0] },
        length   => sub { length $_[0] },
    );

    my @list = ref $filters eq 'ARRAY' ? @$filters
             : ref $filters            ? $filters
             : split ' ', $filters;

    @list = @{ $pick->($filters) } if ref $list[0] eq 'ARRAY';

    for my $filter (@list) {
        my $code = ref $filter ? $filter : $known{$filter}
            or bail_out($block->name . " - unknown filter \"$filter\"");
        $res->content($code->($res->content));
    }
}


sub check_body {
    my ($block, $res, $turn, $pick) = @_;

    my $what = $block->name . ' - response_body';
    my $body = $res->content;

    if (defined $block->response_body) {
        my $want = expand($block, $pick->($block->response_body));

        if (ref $want) {
            like($body, $want, "$what - like (repeated req $turn)");
            return;
        }

        $want =~ s/\$ServerPort(?:ForClient)?\b/$Port/g if defined $want;
        is($body, $want, "$what - response is expected (repeated req $turn)");

    } elsif (defined $block->response_body_like) {
        my $re = $pick->($block->response_body_like);
        like($body, qr/$re/s, "${what}_like - response is expected");

    } elsif (defined $block->response_body_unlike) {
        my $re = $pick->($block->response_body_unlike);
        unlike($body, qr/$re/s, "${what}_unlike - response is expected");
    }
}


# -- logs

# A section of patterns as a list: lines of text, a regexp, or an array.
sub patterns {
    my ($value) = @_;

    return () unless defined $value;
    return grep { defined } @$value if ref $value eq 'ARRAY';
    return $value if ref $value;

    return grep { $_ ne '' } split /\n+/, $value;
}


sub matches {
    my ($line, $pattern) = @_;

    return ref $pattern ? $line =~ $pattern : index($line, $pattern) >= 0;
}


# How long a line of a log is waited for.
sub patience {
    return $Timeout * $KTP::Nginx::Slow;
}


# What the log got since the last check: at once when it has all that is
# waited for; otherwise when the time is over.  With nothing to wait for it
# is read when nginx has stopped writing to it and sleeps.
sub read_log {
    my (@wanted) = @_;

    my $deadline = time() + patience();
    my ($text, $before, $quiet) = ('', -1, 0);

    while (time() < $deadline) {
        $text = $Nginx->log_from($Log_pos);

        if (@wanted) {
            my @lines = split /^/, $text;

            @wanted = grep {
                my $pattern = $_;
                !grep { matches($_, $pattern) } @lines;
            } @wanted;
        }

        $quiet = length $text == $before && $Nginx->rests ? $quiet + 1 : 0;
        $before = length $text;

        last if !@wanted && $quiet >= 3;
        last unless $Nginx->pid || $quiet < 3;

        sleep 0.004 * $KTP::Nginx::Slow;
    }

    $Log_pos += length $text;

    return split /^/, $text;
}


sub check_error_log {
    my ($block, $turn) = @_;

    my $name = $block->name;
    my $grep = $block->grep_error_log;

    $grep = $grep->[$turn] if ref $grep eq 'ARRAY';

    my @lines = read_log(patterns($block->error_log));

    check_grep($block, $grep, $turn, @lines) if defined $grep;

    check_log_lines($block, 'error', $turn, @lines);

    my $said = join "\n", patterns($block->error_log),
                          patterns($block->no_error_log);

    for my $line (@lines) {
        if ($line =~ /\[(alert|crit|emerg)\]/ && index($said, "[$1") < 0
            && !defined $block->must_die)
        {
            diag("WARNING: $name - $line");
        }

        fail("$name - $line") if $line =~ /\bAssertion .*?failed\b/;
    }
}


sub check_grep {
    my ($block, $grep, $turn, @lines) = @_;

    my $name = $block->name . " - grep_error_log_out (req $turn)";
    my $want = expand($block, $block->grep_error_log_out);

    bail_out("$name - not defined") unless defined $want;
    $want = $want->[$turn] if ref $want eq 'ARRAY';

    my $re = ref $grep ? $grep : qr/\Q$grep\E/;
    my $got = join '', map { /($re)/ ? "$1\n" : () } @lines;

    ref $want ? like($got, $want, $name) : is($got, $want, $name);
}


sub check_access_log {
    my ($block, $turn) = @_;

    my @wanted = patterns($block->access_log);
    return unless @wanted || defined $block->no_access_log;

    my $deadline = time() + patience();
    my @lines;

    do {
        sleep 0.005;
        @lines = split /^/, KTP::Nginx::read_file("$Root/logs/access.log");
        @wanted = grep {
            my $pattern = $_;
            !grep { matches($_, $pattern) } @lines;
        } @wanted;
    } while (@wanted && time() < $deadline);

    check_log_lines($block, 'access', $turn, @lines);
}


# One assertion a pattern of "error_log" and "no_error_log", or of the same
# two of the access log.
sub check_log_lines {
    my ($block, $log, $turn, @lines) = @_;

    my ($has, $has_not) = ("${log}_log", "no_${log}_log");
    my $name = $block->name;

    for my $pattern (patterns($block->$has)) {
        ok((grep { matches($_, $pattern) } @lines) > 0,
           "$name - pattern \"$pattern\" matches a line in $log.log"
           . " (req $turn)");
    }

    for my $pattern (patterns($block->$has_not)) {
        my ($line) = grep { matches($_, $pattern) } @lines;

        ok(!defined $line,
           "$name - pattern \"$pattern\" does not match a line in $log.log"
           . " (req $turn)")
            or diag($line);
    }
}


# -- the TCP server of a block: one connection, one reply

sub tcp_start {
    my ($block) = @_;

    my $target = expand($block, $block->tcp_listen);

    bail_out($block->name . ' - no tcp_reply')
        unless defined $block->tcp_reply || defined $block->tcp_shutdown;

    $Tcp_query_file = "$Root/logs/tcp_query";
    unlink $Tcp_query_file;

    if ($target =~ /^\d+$/) {
        $Tcp_socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                            LocalPort => $target,
                                            Proto     => 'tcp',
                                            ReuseAddr => 1,
                                            Listen    => 5);
    } else {
        unlink $target;
        $Tcp_socket = IO::Socket::UNIX->new(Local => $target, Listen => 5);
    }

    bail_out($block->name . " - tcp_listen $target: $!") unless $Tcp_socket;

    $Tcp_pid = fork;
    die "fork: $!" unless defined $Tcp_pid;

    unless ($Tcp_pid) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        eval { tcp_serve($block) };
        warn $@ if $@;
        POSIX::_exit(0);
    }
}


sub tcp_serve {
    my ($block) = @_;

    my $client = $Tcp_socket->accept or die "accept: $!";
    my $shutdown = $block->tcp_shutdown;
    my $length = $block->tcp_query_len
              // (defined $block->tcp_query && !ref $block->tcp_query
                  ? length $block->tcp_query : 0);
    my $query = '';

    local $SIG{PIPE} = 'IGNORE';
    shutdown $client, $shutdown if defined $shutdown;

    unless (defined $shutdown && $shutdown != 1) {
        do {
            sysread $client, $query, 65536, length $query or last;
            KTP::Nginx::write_file("$Tcp_query_file.new", $query);
            rename "$Tcp_query_file.new", $Tcp_query_file;
        } while (length $query < $length);
    }

    my $delay = seconds($block->tcp_reply_delay);
    sleep $delay if $delay;

    if (defined $block->tcp_reply && !(defined $shutdown && $shutdown != 0)) {
        my $reply = $block->tcp_reply;

        $reply = $reply->($query) if ref $reply eq 'CODE';
        $client->send($_) for ref $reply ? @$reply : $reply;
    }

    sleep while defined $block->tcp_no_close;
}


sub tcp_end {
    my ($block) = @_;

    my $name = $block->name;
    my $length = $block->tcp_query_len;
    my $deadline = time() + patience();
    my $query;

    # the last bytes may still be on their way to the file
    do {
        sleep 0.002;
        $query = KTP::Nginx::read_file($Tcp_query_file);
    } while (length $query < ($length // 0) && time() < $deadline);

    if (defined(my $want = $block->tcp_query)) {
        ref $want ? like($query, $want, "$name - tcp_query ok")
                  : is($query, $want, "$name - tcp_query ok");
    }

    is(length $query, $length, "$name - TCP query length ok")
        if defined $length;

    tcp_stop();
}


sub tcp_stop {
    return unless $Tcp_pid;

    kill 'KILL', $Tcp_pid;
    waitpid $Tcp_pid, 0;
    undef $Tcp_pid;

    close $Tcp_socket;
    undef $Tcp_socket;
}


END {
    local $?;

    tcp_stop();
}


1;
