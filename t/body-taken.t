# Bodies that another handler has read, begun to read, or discarded before
# ktp_pass: a whole one in memory is taken and left as it was; all others are
# refused with their reason, and no worker crashes.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new;
my $other = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $upstream->url;
my $h2 = KTP::Nginx::free_port();
my $dead = '127.0.0.1:' . KTP::Nginx::free_port();

# Debian's folder; other builds of nginx have their modules inside, or not
my $modules = '/usr/lib/nginx/modules';
my $lua = $KTP::Nginx::Binary eq KTP::Nginx::absolute('nginx')
          && -e "$modules/ngx_http_lua_module.so";
my $load = $lua ? join '', map { "load_module $modules/$_;\n" }
                  qw(ndk_http_module.so ngx_http_lua_module.so) : '';

my $unread = 'proxy_request_buffering off';
my $whole = qr/body: \d+ bytes were read by another handler/;
my $file = qr/buffered to a file before "ktp_pass", increase "client_body/;
my $part = qr/read in part before "ktp_pass", \d+ bytes are left/;
my $gone = qr/request body was discarded before "ktp_pass"/;
my $any = qr/$gone|$part|$file|$whole/;

# what the client is told, by what the log says
my @reasons = ([$gone, 'body_discarded'], [$part, 'body_in_part'],
               [$file, 'body_in_file']);
my %told;

# name, location, what the log says when the body came there by the other;
# what came with the head may have been read as a whole
my @flows = (
    ['proxy in memory', "proxy_pass http://$dead; error_page 502 = \@ktp;
        client_body_buffer_size 1m", $whole],
    ['proxy in a file', "proxy_pass http://$dead; error_page 502 = \@ktp;
        client_body_buffer_size 1k", qr/$file|$whole/],
    ['proxy, files only', "proxy_pass http://$dead; error_page 502 = \@ktp;
        client_body_in_file_only clean; client_body_buffer_size 1m", $file],
    ['proxy twice', "proxy_pass http://$dead; error_page 502 = \@again;
        client_body_buffer_size 1m", $whole],
    ['unbuffered', "$unread; proxy_pass http://$dead; error_page 502 = \@ktp",
        $any],
    ['unbuffered, HTTP/1.1', "$unread; proxy_http_version 1.1;
        proxy_pass http://$dead; error_page 502 = \@ktp", $any],
    ['unbuffered, then buffered', "$unread; proxy_pass http://$dead;
        error_page 502 = \@again", $any],
    ['unbuffered, refused early', "$unread; proxy_intercept_errors on;
        proxy_pass @{[$other->url]}; error_page 500 = \@ktp", $any, 500],
    ['X-Accel-Redirect', "$unread; proxy_pass @{[$other->url]}", $any, 200],
    ['FastCGI', "fastcgi_request_buffering off; fastcgi_pass $dead;
        error_page 502 = \@ktp", $any],
    ['gRPC', "grpc_pass $dead; error_page 502 = \@ktp", $any],
    ['413', "client_max_body_size 10; proxy_pass http://$dead;
        error_page 413 = \@ktp", qr/$gone|$part/],
    ['an answer, then post_action', 'post_action @ktp; return 200 "x"', $any],
    ['mirror in memory', "client_body_buffer_size 1m; mirror /mirror;
        ktp_pass $url/x", $whole],
    ['mirror in a file', "client_body_buffer_size 1k; mirror /mirror;
        ktp_pass $url/x", qr/$file|$whole/],
    ['mirror, streamed', "client_body_buffer_size 1m; mirror /mirror;
        ktp_request_buffering off; ktp_pass $url/x", $whole],
);

push @flows,
    ['lua in memory', "client_body_buffer_size 1m; ktp_pass $url/x;
        access_by_lua_block { ngx.req.read_body() }", $whole],
    ['lua in a file', "client_body_buffer_size 1k; ktp_pass $url/x;
        access_by_lua_block { ngx.req.read_body() }", qr/$file|$whole/],
    ['lua, before names are known', "client_body_buffer_size 1m;
        ktp_auth \$http_x_none; ktp_pass $url/x;
        rewrite_by_lua_block { ngx.req.read_body() }", qr/name is empty/],
    ['lua, another body', "client_body_buffer_size 1m; ktp_pass $url/x;
        access_by_lua_block { ngx.req.read_body()
            ngx.req.set_body_data(ngx.req.get_body_data()) }", $whole],
    ['lua, discarded', "ktp_pass $url/x;
        access_by_lua_block { ngx.req.discard_body() }", $gone],
    ['lua, its own socket', "ktp_pass $url/x;
        access_by_lua_block { local s = ngx.req.socket()
            if s then s:receive(10) end }",
        qr/$part|body: draining|^(?!.*\bktp body)/s]
    if $lua;

my $locations = join '', map {
    "location = /$_ { $flows[$_][1]" . ($flows[$_][1] =~ /\}$/ ? '' : ';')
    . " }\n"
} 0 .. $#flows;

my $server = <<EOC;
        client_body_timeout 5s;
        recursive_error_pages on;
        lingering_timeout 200ms;
        $locations
        location \@ktp { ktp_pass $url/x; }
        location \@again { proxy_pass http://$dead; error_page 502 = \@ktp; }
        location = /mirror {
            internal;
            proxy_pass @{[$other->url]}/mirror;
        }
        location = /after {
            post_action /action;
            ktp_pass $url/x;
        }
        location = /action { proxy_pass @{[$other->url]}/action; }
EOC

my $conf = $nginx->config(main => KTP::load_module() . $load,
                          server => $server, http => <<EOC);
    client_max_body_size 30m;
    server {
        listen 127.0.0.1:$h2 http2;
        $server
    }
EOC

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

my %images = (small => jpeg(800, 600), large => jpeg(800, 600, size => 99_000));

for my $n (0 .. $#flows) {
    for my $size (sort { $b cmp $a } keys %images) {
        for my $framing ('length', 'chunked', 'http2') {
            for my $pace ($framing eq 'http2' ? 'h2' : ('whole', 'halves')) {
                check($n, $size, $framing, $pace);
            }
        }
    }
}

ok($told{$_->[1]}, "a flow ends with $_->[1]") for @reasons;

# read by nginx itself, before any handler

SKIP: {
    my $port = KTP::Nginx::free_port();
    my $nginx = KTP::Nginx->new;
    my $conf = $nginx->config(main => KTP::load_module(), http => <<EOC);
    server {
        listen 127.0.0.1:$port;
        client_max_body_size 30m;
        client_body_early_read 1;
        client_body_buffer_size 64k;
        location = /e { ktp_pass $url/x; }
    }
EOC

    skip 'no client_body_early_read', 5 unless ($nginx->test($conf))[0] == 0;

    $upstream->reset;
    $nginx->start($conf) or BAIL_OUT($nginx->complaint);

    for my $case (['small', 200, $whole], ['large', 500, $file]) {
        my ($size, $want, $says) = @$case;

        KTP::Nginx::write_file("$prefix/body", $images{$size});
        is(KTP::Nginx::curl("http://127.0.0.1:$port/e", '-H',
                            'Content-Type: image/jpeg', '--data-binary',
                            "\@$prefix/body")->{status}, $want,
           "early read, $size: status");
        like($nginx->log_from, $says, "early read, $size: the log");
    }

    is(scalar $upstream->calls, 1, 'early read: one call');
}

# the other way round: what comes after us finds no body, and no length

$upstream->reset;
$other->reset;
$other->answer;

my ($status) = post('/after', 'length', 'whole', $images{large});

is($status, 200, 'the answer before a post_action');
ok($other->wait_calls(1), 'which has a whole request');

# freenginx leaves the length of an empty body out
my $head = ($other->calls)[0]{head} // '';
like($head, qr/^POST /, 'of its method');
unlike($head, qr/^(?:Content-Length: *[1-9]|Transfer-Encoding:)/mi,
       'with an empty body');
unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


sub check {
    my ($n, $size, $framing, $pace) = @_;
    my ($flow, $config, $says, $first) = @{$flows[$n]};
    my $name = "$flow, $size, $framing, $pace";
    my $image = $images{$size};
    my $offset = length $nginx->log_from;

    $upstream->reset;
    $other->reset;

    if ($first) {
        $other->answer({early => 1}, KTP::Upstream::response(
            "$first X", '', 'X-Accel-Redirect: @ktp', 'Connection: close'));
    }

    my ($status, $answer) = post("/$n", $framing, $pace, $image);

    $nginx->settle;

    my $log = join "\n", $nginx->log_from($offset) =~
        /^.* \*\d+ (ktp .*|.*"ktp_pass".*|client name is empty)/gm;
    my @calls = $upstream->calls;

    # the first handler's own answer stands in front of a post_action
    my $answered = $config =~ /post_action/ ? qr/200/
                 : $log =~ $whole || @calls ? qr/200/
                 : $log =~ /name is empty/ ? qr/401/ : qr/500/;

    like($status, qr/^$answered$/, "$name: status") or diag($log);

    for ($status == 500 ? @reasons : ()) {
        my ($logged, $reason) = @$_;

        next unless $log =~ $logged;
        like($answer, qr/"reason":"$reason"/, "$name: reason");
        $told{$reason}++;
    }

    my $sent = @calls ? $calls[0]{body} : '';

    # a streamed image of unknown length is sent in chunks
    $sent =~ s/(?:^|\r\n)[0-9a-f]+\r\n//g if $config =~ /ktp_request_buff/;

    ok(!@calls || index($sent, base64($image)) >= 0,
       "$name: the upstream has the whole image or nothing");
    like($log, $says, "$name: the log") unless @calls && $log !~ $whole;

    if ($config =~ /mirror/ && $log =~ $whole) {
        # that of the flow before may come late
        ok(KTP::Nginx::wait_for(sub {
            grep { $_->{body} eq $image } $other->calls
        }), "$name: the mirror has a whole request with its body");
    }
}


sub post {
    my ($path, $framing, $pace, $image) = @_;

    if ($framing eq 'http2') {
        KTP::Nginx::write_file("$prefix/body", $image);

        my $answer = qx(nghttp -v -t 20 -H 'content-type: image/jpeg' \\
            -d $prefix/body http://127.0.0.1:$h2$path 2>&1);

        return ($answer =~ /\) :status: (\d+)/)[0], $answer;
    }

    my $body = $framing eq 'chunked' ? chunked($image, 20_000) : $image;
    my $half = $pace eq 'whole' ? length $body : int(length($body) / 2);
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $nginx->port);

    print $sock "POST $path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
              . "Content-Type: image/jpeg\r\n"
              . ($framing eq 'chunked' ? 'Transfer-Encoding: chunked'
                                       : 'Content-Length: ' . length $image)
              . "\r\n\r\n" . substr $body, 0, $half;
    $sock->flush;

    if ($half < length $body) {
        $nginx->settle;
        local $SIG{PIPE} = 'IGNORE';
        print $sock substr $body, $half;
        $sock->flush;
    }

    local $/;
    my $text = <$sock> // '';

    return ($text =~ m{^HTTP/1\.1 (\d+)})[0], $text;
}
