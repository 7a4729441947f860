# An answer that is certain before the body is read reaches the clients that
# people use, however large the body is: over HTTP/1.1 and HTTP/2, with TLS
# and without.  Many drop an answer that comes while they send.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::INET;
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

# nginx may have closed a connection that is written to
$SIG{PIPE} = 'IGNORE';

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $upstream->url;
my %port = map { $_ => KTP::Nginx::free_port() } qw(https http2);

system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
       . " -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
       . " -keyout $prefix/key.pem -out $prefix/cert.pem 2>/dev/null") == 0
    or BAIL_OUT('openssl made no certificate');

my $locations = <<EOC;
        location = /card { ktp_pass $url/x; }
        location = /stream { ktp_pass $url/x; ktp_request_buffering off; }
        location = /key { ktp_auth on; ktp_pass $url/x; }
        location = /name { ktp_auth \$http_x_none; ktp_pass $url/x; }
        location = /length { client_max_body_size 1k; ktp_pass $url/x; }
        location = /deny { deny all; ktp_pass $url/x; }
        location = /return { return 404; ktp_pass $url/x; }
        location = /basic {
            auth_basic cards;
            auth_basic_user_file $prefix/passwords;
            ktp_pass $url/x;
        }
        location = /limit {
            limit_req zone=one;
            limit_req_status 429;
            ktp_pass $url/x;
        }
        location = /later { auth_request /no; ktp_pass $url/x; }
        location = /no { internal; client_max_body_size 0; return 403; }
        location = /hasty { lingering_close off; ktp_pass $url/x; }
        location = /short {
            lingering_time 1s;
            lingering_timeout 300ms;
            ktp_pass $url/x;
        }
        location = /page.html { default_type text/html; root $prefix/html; }
EOC

$nginx->start($nginx->config(main => KTP::load_module(), server => $locations,
                             http => <<EOC)) or BAIL_OUT($nginx->complaint);
    limit_req_zone \$uri zone=one:1m rate=1r/m;
    ktp_client one { key_sha256 @{['0' x 64]}; }
    server {
        listen 127.0.0.1:$port{http2} http2;
        $locations
    }
    server {
        listen 127.0.0.1:$port{https} ssl http2;
        ssl_certificate $prefix/cert.pem;
        ssl_certificate_key $prefix/key.pem;
        $locations
    }
EOC

# what an iPhone sends, which is refused by its first bytes
my $heic = pack('N', 24) . "ftypheic\0\0\0\0mif1heic";
my %files = (small => 200_000, large => 4_000_000, huge => 40_000_000);

for my $name (keys %files) {
    KTP::Nginx::write_file("$prefix/$name", $heic . '.' x ($files{$name} - 24));
}

my $clear = 'http://127.0.0.1:' . $nginx->port;
my $http2 = "http://127.0.0.1:$port{http2}";
my $tls = "https://127.0.0.1:$port{https}";

KTP::Nginx::write_file("$prefix/client.js", <<'EOC');
const http2 = require('http2'), fs = require('fs');
const [url, path, file] = process.argv.slice(2);
const body = fs.readFileSync(file);
const c = http2.connect(url, { rejectUnauthorized: false });
c.on('error', e => { console.log('error ' + e); process.exit(1); });
const s = c.request({ ':method': 'POST', ':path': path,
    'content-type': 'image/jpeg', 'content-length': body.length });
let status = 0, text = '';
s.on('response', h => { status = h[':status']; });
s.on('data', d => { text += d; });
s.on('error', e => { console.log('error ' + e); c.close(); });
s.on('end', () => { console.log(status + ' ' + text); c.close(); });
s.end(body);
EOC

KTP::Nginx::write_file("$prefix/client.py", <<'EOC');
import sys, httpx
url, file, version = sys.argv[1:]
with httpx.Client(http1=version == '1', http2=version == '2', verify=False,
                  timeout=20) as c:
    r = c.post(url, content=open(file, 'rb').read(),
               headers={'Content-Type': 'image/jpeg'})
    print(r.status_code, r.text)
EOC

KTP::Nginx::write_file("$prefix/Client.java", <<'EOC');
import java.net.*;
import java.net.http.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import javax.net.ssl.*;

public class Client {
    public static void main(String[] a) throws Exception {
        KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
        keys.load(null, null);
        keys.setCertificateEntry("own", CertificateFactory.getInstance("X.509")
            .generateCertificate(Files.newInputStream(Path.of(a[0]))));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(keys);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);

        for (int i = 1; i < a.length; i += 3) {
            HttpClient c = HttpClient.newBuilder().sslContext(tls)
                .version(a[i].equals("2") ? HttpClient.Version.HTTP_2
                                          : HttpClient.Version.HTTP_1_1)
                .build();
            try {
                HttpResponse<String> r = c.send(
                    HttpRequest.newBuilder(URI.create(a[i + 1]))
                    .timeout(java.time.Duration.ofSeconds(20))
                    .header("Content-Type", "image/jpeg")
                    .POST(HttpRequest.BodyPublishers.ofFile(
                        Path.of(a[i + 2]))).build(),
                    HttpResponse.BodyHandlers.ofString());
                System.out.println(r.statusCode() + " " + r.body());
            } catch (Exception e) {
                System.out.println("error " + e);
            }
        }
        System.exit(0);
    }
}
EOC

my @paths = (['/card', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT'],
             ['/stream', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT'],
             ['/key', 401, 'UNAUTHORIZED'], ['/name', 401, 'UNAUTHORIZED']);

# those of nginx itself, which has begun to discard the body then
my @pages = (['/length', 413, 'INVALID_PAYLOAD_IMAGE_SIZE'],
             ['/deny', 403, 'FORBIDDEN'], ['/return', 404, 'NOT_FOUND'],
             ['/basic', 401, 'UNAUTHORIZED'], ['/later', 403, 'FORBIDDEN'],
             ['/limit', 429, 'TOO_MANY_REQUESTS']);

KTP::Nginx::write_file("$prefix/passwords", '');

for my $size ('small', 'large') {
    for my $path (@paths) {
        client('curl, HTTP/1.1', $path, $size, sub { curl($clear, @_) });
        client('curl, HTTP/2', $path, $size,
               sub { curl($http2, @_, '--http2-prior-knowledge') });
        client('curl, HTTP/1.1 with TLS', $path, $size,
               sub { curl($tls, @_, '--http1.1') });
        client('curl, HTTP/2 with TLS', $path, $size,
               sub { curl($tls, @_, '--http2') });

        SKIP: {
            skip 'no node', 4 unless has('node --version');

            for my $url ($http2, $tls) {
                client("node, HTTP/2, $url", $path, $size, sub {
                    run('node', "$prefix/client.js", $url, @_) });
            }
        }

        SKIP: {
            skip 'no httpx and h2', 6
                unless has('/usr/bin/python3 -c "import httpx, h2"');

            for my $case ([$clear, 1], [$tls, 1], [$tls, 2]) {
                client("httpx, HTTP/$case->[1], $case->[0]", $path, $size, sub {
                    run('/usr/bin/python3', "$prefix/client.py", $case->[0] . $_[0],
                        $_[1], $case->[1]) });
            }
        }
    }
}

# a browser too, in which the page comes from where it sends to

SKIP: {
    my @cases = (['http/1.1', $clear], ['http/1.1', $tls, '--disable-http2'],
                 ['h2', $tls]);

    skip 'no chromium', @cases * (4 * @paths + 1)
        unless has('chromium --version');

    my $list = join ',', map { my $size = $files{$_};
        map { "['$_->[0]',$size]" } @paths } 'small', 'large';

    KTP::Nginx::write_file("$prefix/html/page.html", <<"EOC");
<!DOCTYPE html><title>.</title><link rel=icon href="data:,">
<pre id=out></pre>
<script>
const out = document.getElementById('out');
for (const [path, size] of [$list]) {
    const body = new Uint8Array(size).fill(46);
    body.set([@{[join ',', unpack 'C*', $heic]}]);
    const x = new XMLHttpRequest();
    x.open('POST', path, false);
    x.setRequestHeader('Content-Type', 'image/jpeg');
    let line;
    try { x.send(body); line = x.status + ' ' + x.responseText.trim(); }
    catch (e) { line = 'error ' + e; }
    out.textContent += line + '\\n';
}
out.textContent += performance.getEntriesByType('navigation')[0]
    .nextHopProtocol + '\\n';
</script>
EOC

    for my $case (@cases) {
        my ($protocol, $url, @more) = @$case;
        my $got = run('sh', '-c', 'exec "$@" 2> /dev/null', 'sh', 'env',
                      "HOME=$prefix", 'chromium', '--headless', '--no-sandbox',
                      '--disable-gpu', '--ignore-certificate-errors', @more,
                      '--dump-dom', "$url/page.html");
        my ($text) = $got =~ m{<pre id="out">(.*?)</pre>}s;
        my @answers = split /\n/, $text // '';

        for my $size ('small', 'large') {
            for my $path (@paths) {
                my $answer = shift(@answers) // '';

                client("Chromium, $protocol, $url", $path, $size,
                       sub { $answer });
            }
        }

        is($answers[0], $protocol, "Chromium, $url: $protocol");
    }
}

for my $path (@pages) {
    client('curl, HTTP/1.1', $path, 'large', sub { curl($clear, @_) });

    for my $size ('small', 'large') {
        client('curl, HTTP/2', $path, $size,
               sub { curl($http2, @_, '--http2-prior-knowledge') });
    }

    client('curl, HTTP/2 with TLS', $path, 'large',
           sub { curl($tls, @_, '--http2') });

    SKIP: {
        skip 'no node', 2 unless has('node --version');

        client('node, HTTP/2 with TLS', $path, 'large', sub {
            run('node', "$prefix/client.js", $tls, @_) });
    }

    SKIP: {
        skip 'no httpx and h2', 2
            unless has('/usr/bin/python3 -c "import httpx, h2"');

        client('httpx, HTTP/2 with TLS', $path, 'large', sub {
            run('/usr/bin/python3', "$prefix/client.py", "$tls$_[0]", $_[1],
                2) });
    }
}

# Java starts slowly: all its requests are those of one process

SKIP: {
    my @cases = map { [2, $tls, $_, 'large'] } @pages;

    # the one that passes in this minute, however late it has begun
    my ($limit) = grep { $cases[$_][2][0] eq '/limit' } 0 .. $#cases;

    splice @cases, $limit, 0, [2, $tls, $cases[$limit][2], 'small'];

    push @cases, map { my $size = $_; map { my $path = $_;
        map { [@$_, $path, $size] } [1, $clear], [1, $tls], [2, $tls]
    } @paths } 'small', 'large';

    skip 'no java', 2 * (@cases - 1) unless has('java -version');

    my @answers = split /\n/, run('java', "$prefix/Client.java",
        "$prefix/cert.pem", map {
            ($_->[0], $_->[1] =~ s/127\.0\.0\.1/localhost/r . $_->[2][0],
             "$prefix/$_->[3]")
        } @cases);

    splice @$_, $limit, 1 for \@cases, \@answers;

    for my $case (@cases) {
        my ($version, $url, $path, $size) = @$case;
        my $answer = shift @answers;

        client("Java, HTTP/$version, $url", $path, $size, sub { $answer });
    }
}

# what is declared to be too large is drained too

client('curl, HTTP/2, too large', ['/card', 400, 'IMAGE_SIZE'], 'huge',
       sub { curl($http2, @_, '--http2-prior-knowledge') });

# and all of it only for a time: a client that stands still gets its answer

for my $case (['/short', 0.25, 4], ['/hasty', 0, 4]) {
    my ($path, $least, $most) = @$case;
    my $from = time();
    my ($status, $body) = stalled($path);
    my $took = time() - $from;

    is($status, 400, "$path: a client that stands still has its answer");
    ok($took >= $least && $took < $most * $KTP::Nginx::Slow,
       "$path: in time") or diag($took);
}

is(scalar $upstream->calls, 0, 'nothing was sent to the upstream');

# what nginx says of its own pages
my $said = qr/access forbidden by rule|intended to send too large body/;
$said = qr/$said|limiting requests|no user\/password was provided/;

is(join('', grep { !/$said/ }
            $nginx->log_from =~ /^.*\[(?:alert|crit|emerg|error)\].*\n/mg),
   '', 'a clean log');

done_testing();


sub client {
    my ($name, $path, $size, $code) = @_;

    # takes the one request that passes
    curl($clear, '/limit', "$prefix/small") if $path->[0] eq '/limit';

    my ($status, $body) = $code->($path->[0], "$prefix/$size")
                          =~ /^(\S+) (.*)/s;

    is($status // '', $path->[1], "$name, $path->[0], $size: status")
        or diag($body // 'no answer');
    like($body // '', qr/"error_code":"\w*$path->[2]"/,
         "$name, $path->[0], $size: answer");
}

sub has {
    my ($command) = @_;
    our %has;

    return $has{$command} //= system("$command >/dev/null 2>&1") == 0 ? 1 : 0;
}

sub run {
    open my $in, '-|', 'timeout', 60 * $KTP::Nginx::Patience, @_
        or die "$_[0]: $!\n";
    local $/;

    return scalar(<$in>) // '';
}

sub curl {
    my ($url, $path, $file, @more) = @_;

    my $answer = KTP::Nginx::curl("$url$path", '-k', '-H',
        'Content-Type: image/jpeg', '--data-binary', "\@$file", @more);

    return $answer->{exit} ? "error $answer->{exit}"
                           : "$answer->{status} $answer->{body}";
}

# The first bytes of a body over HTTP/2, and no more; its answer.
sub stalled {
    my ($path) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port{http2});
    my $string = sub { chr(length $_[0]) . $_[0] };
    my $frame = sub {
        my ($type, $flags, $stream, $data) = @_;
        substr(pack('N', length $data), 1) . pack('CCN', $type, $flags, $stream)
            . $data;
    };

    # RFC 7541, 6.2.2: literals without indexing
    my $head = join '', map { "\0" . $string->($_->[0]) . $string->($_->[1]) }
        [':method', 'POST'], [':scheme', 'http'], [':path', $path],
        [':authority', 'a'], ['content-type', 'image/jpeg'],
        ['content-length', '1000000'];

    print $sock "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . $frame->(4, 0, 0, '')
              . $frame->(1, 4, 1, $head) . $frame->(0, 0, 1, $heic);
    $sock->flush;

    my $in = '';
    my $deadline = time() + 10 * $KTP::Nginx::Slow;

    while (time() < $deadline) {
        last unless sysread $sock, $in, 65536, length $in;

        my ($at, $status) = 0;
        while (length($in) >= $at + 9) {
            my $n = unpack 'N', "\0" . substr $in, $at, 3;
            my $type = ord substr $in, $at + 3, 1;

            # RFC 7541, appendix A: 12 is ":status: 400"
            $status = 400 if $type == 1
                && ord(substr $in, $at + 9, 1) == 0x8c;
            return ($status, substr $in, $at + 9, $n) if $type == 0;
            $at += 9 + $n;
        }
    }

    return (0, 'no answer');
}
