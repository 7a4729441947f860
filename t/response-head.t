# The limit of a response apart from its body: headers, interim responses,
# trailers and chunk extensions end the call before they take more than 64 KB,
# in calls of the upstream and in downloads of images, and a worker has its
# memory back afterwards.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $slow = $KTP::Nginx::Slow;
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $images = KTP::Upstream->new;
my $proxy = KTP::Upstream->new;
my ($url, $source) = ($up->url, $images->url);
my $proxy_port = $proxy->port;
my $socket = KTP::Nginx::scratch_dir() . '/upstream';
my $local = KTP::Upstream->new(unix => $socket);

my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed \$ktp_retries';
    access_log logs/ktp.log ktp;
    ktp_api_key key;
EOC
    server => <<"EOC",
        location = /up { ktp_pass $url/x; }
        location = /local { ktp_pass unix:$socket:/x; }
        location = /fetch {
            ktp_pass $url/x;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.0/8;
        }
        location = /proxied {
            ktp_pass https://vendor.test/x;
            ktp_egress_proxy http://127.0.0.1:$proxy_port;
        }
EOC
    log_level => 'info');

$nginx->start($conf) or BAIL_OUT($nginx->complaint);

my $jpeg = jpeg(800, 600, size => 300_000);
my $file = $nginx->prefix . '/html/post.json';
my $fetch = $nginx->prefix . '/html/fetch.json';

KTP::Nginx::write_file($file, json_body(jpeg(800, 600)));
KTP::Nginx::write_file($fetch, "{\"image\":\"$source/a.jpg\"}");

my $ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
my $chunked = $ok . "Transfer-Encoding: chunked\r\n\r\n";
my $body = $KTP::Upstream::Body;
my $coded = sprintf "%x\r\n%s\r\n", length $body, $body;

# what never ends, as far as the call can see
my $more = 1_000_000;

sub lines {
    my ($length) = @_;

    my ($n, $lines) = (0, '');

    while (length $lines < $more) {
        $lines .= sprintf "%x:%s\r\n", $n++, 'x' x ($length - 4);
    }

    return $lines;
}

# each name is that of a kind of bytes that are not the body
my @endless = (
    ['status line', 'HTTP/1.1 200 ' . 'O' x $more],
    ['header line without an end', $ok . 'X: ' . 'x' x $more],
    ['long header lines', $ok . lines(4000)],
    ['short header lines', $ok . lines(8)],
    ['interim responses', "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" x 30_000],
    ['interim response without an end',
     "HTTP/1.1 100 Continue\r\n" . lines(100)],
    ['long trailers', $chunked . $coded . "0\r\n" . lines(4000)],
    ['short trailers', $chunked . $coded . "0\r\n" . lines(8)],
    ['trailer without an end', $chunked . "${coded}0\r\nX: " . 'x' x $more],
    ['chunk extension without an end', $chunked . '1;x=' . 'x' x $more],
    ['chunk extension of the last chunk',
     $chunked . $coded . '0;x=' . 'x' x $more],
    ['chunk extensions', $chunked . ('1;x=' . 'x' x 400 . "\r\n \r\n") x 2500],
);

sub post_file {
    my ($uri, $name) = @_;

    return KTP::Nginx::curl('-H', 'Content-Type: application/json',
                            '-H', 'Expect:', '--data-binary', "\@$name",
                            'http://127.0.0.1:' . $nginx->port . $uri);
}


# -- each kind ends the call, at once

my $large = qr/upstream call failed \(head_too_large\)/;

# libcurl 7.88 limits a line of a trailer to 4 KB by itself
my $trailer = qr/$large|upstream call failed \(/;

for (@endless) {
    my ($name, $answer) = @$_;

    for my $way (['/up', $up], ['/local', $local]) {
        my ($uri, $server) = @$way;
        my $from = -s $nginx->{log};

        $server->reset;
        $server->answer($answer);

        my $got = post($nginx->port, $uri, KTP::Nginx::read_file($file));

        is($got->{status}, 502, "$uri, $name: 502");
        cmp_ok($got->{seconds}, '<', 10 * $slow, "$uri, $name: at once");
        like($nginx->log_from($from), $name =~ /^trailer/ ? $trailer : $large,
             "$uri, $name: the log has why");
        is(scalar $server->calls, 1, "$uri, $name: it is not called again");
    }

    my $from = -s $nginx->{log};

    $images->reset;
    $images->answer($answer);

    my $got = post($nginx->port, '/fetch', KTP::Nginx::read_file($fetch));

    # what precedes the head's end may be found to be no image before
    is($got->{status}, 400, "image, $name: 400");
    cmp_ok($got->{seconds}, '<', 10 * $slow, "image, $name: at once");
    like($nginx->log_from($from), qr/cannot fetch image|request rejected/,
         "image, $name: the log has why");
}

$images->reset;
$images->answer($chunked . sprintf("%x\r\n%s\r\n", length $jpeg, $jpeg)
                . "0\r\n" . lines(8));
my $mark = -s $nginx->{log};
is(post($nginx->port, '/fetch', KTP::Nginx::read_file($fetch))->{status}, 400,
   'trailers behind an image');
like($nginx->log_from($mark),
     qr/cannot fetch image: status 200, response head is too large/,
     'are told as such');

$proxy->answer({ early => 1 }, "HTTP/1.1 200 OK\r\n" . lines(100));
$mark = -s $nginx->{log};
is(post($nginx->port, '/proxied', KTP::Nginx::read_file($file))->{status},
   502, "headers of a proxy's response");
like($nginx->log_from($mark), $large, 'are limited, too');


# -- what is ordinary passes

my @ordinary = (
    ['a hundred headers', $ok . join('', map { "X-$_: " . 'x' x 300 . "\r\n" }
                                         1 .. 100)
     . 'Content-Length: ' . length($body) . "\r\n\r\n$body"],
    ['a header of 30 KB', $ok . 'X: ' . 'x' x 30_000 . "\r\n"
     . 'Content-Length: ' . length($body) . "\r\n\r\n$body"],
    ['interim responses', "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" x 20
     . $ok . 'Content-Length: ' . length($body) . "\r\n\r\n$body"],
    ['trailers', $chunked . $coded . "0\r\nX-Digest: 1\r\nX-Time: 2\r\n\r\n"],
    ['chunks of 16 bytes', $chunked
     . join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                ' ' x 16 x 1, ((' ' x 16) x 12_000), $body =~ /(.{1,16})/sg)
     . "0\r\n\r\n"],
);

for (@ordinary) {
    my ($name, $answer) = @$_;

    $up->reset;
    $up->answer($answer);
    is(post($nginx->port, '/up', KTP::Nginx::read_file($file))->{status}, 200,
       "$name: 200");
}

$up->reset;
$images->reset;
$images->answer($chunked
                . join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                           $jpeg =~ /(.{1,16})/sg) . "0\r\n\r\n");
is(post($nginx->port, '/fetch', KTP::Nginx::read_file($fetch))->{status}, 200,
   'an image in chunks of 16 bytes: 200');


# -- memory

sub memory {
    my $text = KTP::Nginx::read_file('/proc/' . $nginx->pid . '/smaps_rollup');

    return $text =~ /^Pss_Anon: +(\d+) kB/m ? $1 : undef;
}

sub many {
    my ($uri, $name, $n) = @_;

    system('curl', '-sS', '--no-progress-meter', '-Z', '--parallel-max', 32, '--max-time', 120,
           '-o', '/dev/null', '-H', 'Content-Type: application/json',
           '-H', 'Expect:', '--data-binary', "\@$name",
           'http://127.0.0.1:' . $nginx->port . "$uri?[1-$n]");
}

SKIP: {
    skip 'the memory of an instrumented nginx is another', 3 if $slow > 1;
    skip 'no smaps_rollup', 3 unless defined memory();

    $up->reset;
    $images->reset;
    $images->answer(KTP::Upstream::response('200 OK', $jpeg,
                                            'Content-Type: image/jpeg'));
    many('/up', $file, 200);
    many('/fetch', $fetch, 200);
    $nginx->settle;

    my $rest = memory();
    my ($peak, $calls) = (0, 0);

    # short lines cost the most beside their bytes
    for my $kind (grep { $_->[0] =~ /^short|without an end/ } @endless) {
        $up->answer($kind->[1]);
        $images->answer($kind->[1]);

        for my $way (['/up', $file], ['/fetch', $fetch]) {
            my $pid = fork;

            die "fork: $!\n" unless defined $pid;

            unless ($pid) {
                many(@$way, 100);
                POSIX::_exit(0);
            }

            until (waitpid $pid, POSIX::WNOHANG()) {
                my $now = memory();

                $peak = $now if $now > $peak;
                sleep 0.005;
            }

            $calls += 100;
        }
    }

    KTP::Nginx::wait_for(sub { memory() <= 1.1 * $rest });
    my $after = memory();

    note("at rest $rest KB, $peak KB during, $after KB after $calls calls");
    cmp_ok($calls, '>=', 1000, 'a thousand calls');
    cmp_ok($after, '<=', 1.1 * $rest,
           'leave the worker within a tenth of its memory at rest');

    # 64 KB of each, and what a call takes at all
    cmp_ok($peak - $rest, '<', 32 * 2 * 64 + 4096, '64 KB of each at a time');
}

$up->reset;
is(post($nginx->port, '/up', KTP::Nginx::read_file($file))->{status}, 200,
   'the worker is there');
unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();
