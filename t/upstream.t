# The upstream's settings, and what the connections, look-ups and clients
# that go away do to the worker.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new(resolver => 1);
my $up = KTP::Upstream->new;
my $url = $up->url;
my $port = $up->port;
my $proxy = KTP::Upstream->new;
my $proxy_url = $proxy->url;
my $refused = KTP::Nginx::free_port();


# -- what nginx -t says of bad values

for my $case (
    ['ktp_keepalive x',
     'invalid value "x" in "ktp_keepalive" directive, it must be a number from 0 to 65535'],
    ['ktp_keepalive -1',
     'invalid value "-1" in "ktp_keepalive" directive, it must be a number from 0 to 65535'],
    ['ktp_keepalive 65536',
     'invalid value "65536" in "ktp_keepalive" directive, it must be'],
    ['ktp_keepalive 1; ktp_keepalive 2', 'is duplicate'],
    ['ktp_keepalive_timeout x',
     'invalid value "x" in "ktp_keepalive_timeout" directive, it must be'],
    ['ktp_keepalive_timeout 0',
     'invalid value "0" in "ktp_keepalive_timeout" directive, it must be'],
    ['ktp_max_inflight 0',
     'invalid value "0" in "ktp_max_inflight" directive, it must be'],
    ['ktp_max_inflight x',
     'invalid value "x" in "ktp_max_inflight" directive, it must be a number of at least 1'],
    ['ktp_retries 6',
     'invalid value "6" in "ktp_retries" directive, it must be'],
    ['ktp_retries x',
     'invalid value "x" in "ktp_retries" directive, it must be a number from 0 to 5'],
    ['ktp_retries 1 send',
     'invalid parameter "send" in "ktp_retries" directive, it must be "sent"'],
    ['ktp_retries 1 sent',
     '"ktp_retries" directive has "sent", which is for named locations only'],
    ['ktp_ignore_client_abort maybe',
     'invalid value "maybe" in "ktp_ignore_client_abort" directive'],
    ['ktp_request_buffering maybe',
     'invalid value "maybe" in "ktp_request_buffering"'],
    ['ktp_ssl_verify maybe', 'invalid value "maybe" in "ktp_ssl_verify"'],
    ['ktp_ssl_name "a b"', 'invalid name "a b"'],
    ['ktp_ssl_name ""', 'invalid name ""'],
    ['ktp_ssl_name a; ktp_ssl_name b', 'is duplicate'],
    ['ktp_ssl_trusted_certificate a; ktp_ssl_trusted_certificate b',
     'is duplicate'],
    ['ktp_ssl_certificate a; ktp_ssl_certificate b', 'is duplicate'],
    ['ktp_ssl_certificate_key a; ktp_ssl_certificate_key b',
     'is duplicate'],
    ['ktp_egress_proxy 127.0.0.1:1', 'no "http://" in proxy URL'],
    ['ktp_egress_proxy http://u:canary@h', 'no port in proxy URL'],
    ['ktp_egress_proxy http://u:canary@h:x', 'invalid port in proxy URL'],
    ['ktp_egress_proxy http://u:can@canary@h:1',
     'must be percent-encoded ("@" as "%40"'],
    ['ktp_egress_proxy http://@@h:1', 'must be percent-encoded'],
    ['ktp_egress_proxy http://a%b:c@h:1',
     '"%" of the user or password without "%25" in proxy URL'],
    ['ktp_user_agent $http_user_agent',
     'it must be "off" or ASCII characters without variables'],
    ['ktp_egress_proxy off; ktp_egress_proxy off', 'is duplicate']) {

    my ($text, $want) = @$case;
    my ($status, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(),
        server => "location /x { ktp_pass https://a.test/v2; $text; }\n"));

    is($status, 1 << 8, "nginx -t refuses $text");
    like($said, qr/\Q$want\E/, 'and says why');
    unlike($said, qr/canary/, 'without a password') if $text =~ /canary/;
}


# -- the gateway

sub hosts {
    $nginx->hosts(['name.test', $_[0]], ['slow.test', '127.0.0.1', 4000 * $slow],
                  ['cold.test', '127.0.0.1', 300],
                  ['late.test', '127.0.0.1', 100, 3000 * $slow],
                  ['fresh.test', '127.0.0.1'],
                  map { ["image$_.test", '127.0.0.1', 2000 * $slow] } 1 .. 20);
}

hosts('127.0.0.1');

# what libcurl would take from the environment to go past the proxy
my $environment = 'env NO_PROXY=*; env no_proxy=*;';

my $conf = $nginx->config(
    main => KTP::load_module() . " $environment",
    http => <<"EOC",
    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed \$ktp_retries';
    access_log logs/ktp.log ktp;
    ktp_api_key canary-api-key;
    ktp_egress_proxy http://127.0.0.1:$refused;
    ktp_keepalive_timeout 3s;
EOC
    server => <<"EOC",
        ktp_egress_proxy off;
        location = /kept { ktp_pass $url/v2; ktp_keepalive 2; }
        location = /never-kept { ktp_pass $url/v2; ktp_keepalive 0; }
        location = /name { ktp_pass http://name.test:$port/v2; }
        location = /name-each {
            ktp_pass http://name.test:$port/v2;
            ktp_keepalive 0;
        }
        location = /cold { ktp_pass http://cold.test:$port/v2; }
        location = /late {
            ktp_pass http://late.test:$port/v2;
            ktp_keepalive 0;
        }
        location = /fresh { ktp_pass http://fresh.test:$port/v2; }
        location = /image-url {
            ktp_pass $url/v2;
            ktp_image_url fetch;
            ktp_image_url_timeout 60s;
            ktp_connect_timeout 60s;
        }
        location = /slow {
            ktp_pass http://slow.test:$port/v2;
            ktp_connect_timeout 60s;
        }
        location = /ignore {
            ktp_pass $url/v2;
            ktp_ignore_client_abort on;
        }
        location = /proxied {
            ktp_pass http://name.test:$port/v2;
            ktp_egress_proxy $proxy_url;
        }
        location = /tunnel {
            ktp_pass https://vendor.test/v2;
            ktp_egress_proxy $proxy_url;
        }
        location = /quick { return 200 "quick\\n"; }
EOC
    log_level => 'info');

my $log_start = -s $nginx->prefix . '/logs/error.log';

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

my $body = json_body(jpeg(800, 600, size => 20_000));

sub call { return post($nginx->port, $_[0], $body) }

sub wait_for {
    my ($seconds, $true) = @_;

    return KTP::Nginx::wait_for($true, $seconds);
}

# The worker's sockets that are connected to a port, by state of the kernel.
sub sockets {
    my ($to) = @_;

    my %inode = map { (readlink($_) // '') =~ /^socket:\[(\d+)\]$/
                      ? ($1 => 1) : () } glob "/proc/@{[$nginx->pid]}/fd/*";
    my %state;

    for (split /\n/, KTP::Nginx::read_file('/proc/net/tcp')) {
        my @field = split;

        next unless @field > 9 && $field[2] =~ /:([0-9A-F]{4})$/;
        $state{ $field[3] }++ if hex $1 == $to && $inode{ $field[9] };
    }

    return \%state;
}

# Of those, how many have bytes that nobody has read.
sub unread {
    my ($to) = @_;

    return scalar grep {
        my @field = split;

        @field > 9 && $field[2] =~ /:([0-9A-F]{4})$/ && hex $1 == $to
            && $field[4] !~ /:0+$/;
    } split /\n/, KTP::Nginx::read_file('/proc/net/tcp');
}

sub descriptors {
    my ($of) = @_;

    return scalar(() = glob "/proc/@{[$of->pid]}/fd/*");
}

sub log_has {
    my ($line) = @_;

    my $file = $nginx->prefix . '/logs/ktp.log';

    return wait_for(3, sub { KTP::Nginx::read_file($file) =~ /^$line$/m });
}


# -- connections

is(call('/kept')->{status}, 200, "call $_") for 1 .. 4;
is($up->connections, 1, 'one connection is kept for all of them');

is(call('/never-kept')->{status}, 200, "call $_, none kept") for 1 .. 3;
is($up->connections, 4, 'ktp_keepalive 0: a connection each');

my $limit = 3;

ok(wait_for($limit, sub { !%{ sockets($port) } }),
   'an idle connection goes after ktp_keepalive_timeout');
ok(wait_for(1, sub { $up->closes >= 4 }), 'and the upstream sees it go');

$up->reset;


# closed by the upstream while nobody uses it
{
    my $other = KTP::Upstream->new;
    my $gone = KTP::Nginx->new;

    ok($gone->start($gone->config(
        main => KTP::load_module(),
        server => "location = /t { ktp_pass @{[$other->url]}/v2; "
                  . "ktp_keepalive 2; }\n",
        log_level => 'info')), 'an nginx with ktp_keepalive_timeout 60s');

    my $gate = $gone->prefix . '/gate';

    $other->answer({ until => $gate },
                   KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

    my @calls = map { post_begin($gone->port, '/t', $body) } 1 .. 6;

    for my $call (@calls) {
        $call->{sock}->syswrite($call->{out});
        $call->{out} = '';
    }

    ok($other->wait_calls(6), 'all calls are at the upstream');

    # all of the answers are there when nginx looks
    (my $was, $nginx) = ($nginx, $gone);
    $gone->signal('STOP');
    KTP::Nginx::write_file($gate, '');
    ok(wait_for(5, sub { unread($other->port) == 6 }), 'all are answered');
    $gone->signal('CONT');
    is(scalar(grep { answer_of($_)->{status} == 200 } @calls), 6,
       'six calls at a time');
    is($other->connections, 6, 'have six connections');

    # libcurl may close one more than it has to
    ok(wait_for(2, sub { (sockets($other->port)->{'01'} // 0) <= 2 }),
       'of which ktp_keepalive 2 keeps two at most');
    cmp_ok(sockets($other->port)->{'01'} // 0, '>', 0, 'and one at least');
    $other->stop;
    ok(wait_for($limit, sub { !%{ sockets($other->port) } }),
       'it goes when the upstream closes it, with no call to find out');
    $nginx = $was;
}


# a last word before the end, as of a server that waits no longer
{
    my $other = KTP::Upstream->new;
    my $gone = KTP::Nginx->new;

    ok($gone->start($gone->config(
        main => KTP::load_module(),
        server => "location = /t { ktp_pass @{[$other->url]}/v2; }\n",
        log_level => 'info')), 'an nginx');

    # with the connection that is kept
    is(post($gone->port, '/t', $body)->{status}, 200, 'a call');
    my $before = descriptors($gone);

    my $gate = $gone->prefix . '/gate';

    $other->reset;
    $other->answer({ until => $gate },
                   KTP::Upstream::response('200 OK', $KTP::Upstream::Body),
                   { delay => 0.3 * $slow },
                   KTP::Upstream::response('408 Request Timeout', '{}'),
                   { close => 1 });

    my @calls = map { post_begin($gone->port, '/t', $body) } 1 .. 5;

    for my $call (@calls) {
        $call->{sock}->syswrite($call->{out});
        $call->{out} = '';
    }

    ok($other->wait_calls(5), 'all are at the upstream');
    KTP::Nginx::write_file($gate, '');
    is(scalar(grep { answer_of($_)->{status} == 200 } @calls), 5,
       'five calls at a time');

    (my $was, $nginx) = ($nginx, $gone);
    ok(wait_for(2, sub { !sockets($other->port)->{'01'} }),
       'the upstream tells 408 where nobody asked, and closes');
    $other->reset;
    $nginx->settle;

    is(call('/t')->{status}, 200, 'the next call');
    unlike(KTP::Nginx::read_file($gone->prefix . '/logs/error.log'),
           qr/retrying upstream call/, 'does not come upon such a connection');
    ok(wait_for($limit, sub { descriptors($gone) <= $before }),
       'they are closed here as well')
        or diag(join "\n", map { readlink // '' }
                glob "/proc/@{[$gone->pid]}/fd/*");
    $nginx = $was;
}


# -- names

sub looked_up {
    my ($name) = @_;

    return scalar grep { $_ eq $name } $nginx->lookups;
}

sub threads {
    my ($n) = KTP::Nginx::read_file("/proc/@{[$nginx->pid]}/status")
        =~ /^Threads:\s+(\d+)/m;

    return $n;
}

is(call('/name')->{status}, 200, 'a name');
is(call('/name')->{status}, 200, 'again');
is(looked_up('name.test'), 1, 'is looked up once');

hosts('127.0.0.2');
ok(wait_for(5, sub { sleep 0.2; call('/name-each')->{status} == 502 }),
   'and again when its address may be another');
cmp_ok(looked_up('name.test'), '>', 1, 'by a look-up');
hosts('127.0.0.1');

# the answer for IPv6 of the second name comes after all calls
for my $name ('cold', 'late') {
    my @calls = map { post_begin($nginx->port, "/$name", $body) } 1 .. 20;

    # all are sent before the first answer is awaited
    for my $call (@calls) {
        $call->{sock}->syswrite($call->{out});
        $call->{out} = '';
    }

    my @answers = map { answer_of($_) } @calls;

    is(scalar(grep { $_->{status} == 200 } @answers), 20,
       "twenty calls come upon $name.test at once");
    is(looked_up("$name.test"), 1, 'and it is looked up once');
    cmp_ok((sort { $a <=> $b } map { $_->{seconds} } @answers)[-1], '<',
           2.5 * $slow, 'they all wait for that');
}

{
    my $before = threads();

    for (1 .. 10) {
        my $call = post_begin($nginx->port, '/slow', $body);

        $call->{sock}->syswrite($call->{out});

        # is answered when the look-up has begun
        my $quick = post($nginx->port, '/quick', '');
        cmp_ok($quick->{seconds}, '<', 2 * $slow,
               'a look-up blocks nobody') if $_ == 5;
        close $call->{sock};
    }

    cmp_ok(threads(), '<=', $before + 2, 'ten aborted look-ups of a name: one thread');

    # which may not have begun on a machine that is busy
    wait_for(5, sub { looked_up('slow.test') });
    is(looked_up('slow.test'), 1, 'and one look-up');
    ok(log_has('/slow 499 aborted no 0'), 'they are logged as aborted');
    is(call('/slow')->{status}, 200, 'what it finds is used');
    is(looked_up('slow.test'), 1, 'with no further look-up');

    # libcurl 8.20 and newer keeps a thread for a while
    ok(wait_for(4, sub { threads() == 1 }), 'the thread ends');
}

# as many names of images as there are look-ups at a time
{
    my @calls = map {
        post_begin($nginx->port, '/image-url',
                   qq({"image":"http://image$_.test/a.jpg"}))
    } 1 .. 20;

    for my $call (@calls) {
        $call->{sock}->syswrite($call->{out});
        $call->{out} = '';
    }

    ok(wait_for(3, sub { looked_up('image1.test') }),
       "images' names are looked up");

    my $call = call('/fresh');

    is($call->{status}, 200, "a call looks the upstream's name up");
    cmp_ok($call->{seconds}, '<', 1.5 * $slow, 'and waits for none of these');

    is(scalar(grep { answer_of($_)->{status} == 400 } @calls), 20,
       'which all have their turn');
    is(scalar(grep { looked_up("image$_.test") == 1 } 1 .. 20), 20,
       'once each');
}


# -- the client goes away

for my $case (['/kept', '499 aborted unknown 0'], ['/ignore', '200 ok yes 0']) {
    my ($uri, $line) = @$case;

    my $gate = $nginx->prefix . '/gate-' . substr $uri, 1;

    $up->reset;
    $up->answer({ until => $gate },
                KTP::Upstream::response('200 OK', $KTP::Upstream::Body));

    my $closes = $up->closes;
    my $call = post_begin($nginx->port, $uri, $body);

    $call->{sock}->syswrite($call->{out});
    ok($up->wait_calls(1), "$uri: the upstream has the request");
    close $call->{sock};

    if ($uri eq '/kept') {
        ok(wait_for(1, sub { $up->closes > $closes }),
           'the client goes: the call ends at once');
    }

    # is answered when nginx has seen that the client is gone
    post($nginx->port, '/quick', '');
    KTP::Nginx::write_file($gate, '');
    ok(log_has("$uri $line"), "$uri: $line");
}

$up->reset;


# -- a proxy

is(call('/proxied')->{status}, 200, 'through a proxy');
my ($first) = $proxy->calls;
like($first->{head}, qr{^POST http://name\.test:$port/v2 HTTP/1\.1\r$}m,
     'which is asked for the whole URL');

$proxy->reset;
$proxy->answer(KTP::Upstream::response('403 Forbidden', 'no'));
is(call('/tunnel')->{status}, 502, 'a tunnel that the proxy refuses');
ok(log_has('/tunnel 502 upstream_error no 0'), 'is not asked for again');
($first) = $proxy->calls;
like($first->{head}, qr{^CONNECT vendor\.test:443 HTTP/1\.1\r$}m,
     'was asked for');
unlike($first->{head}, qr/canary/, 'without the keys');
is(looked_up('vendor.test'), 0, 'the name is the proxy\'s to look up');

unlike($nginx->log_from($log_start), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
unlike($nginx->log_from(0), qr/canary/, 'no key in the log');

$nginx->stop;

done_testing();
