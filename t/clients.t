# The programs of docs/clients.md, word for word, each where its language is
# installed: an answer, errors, and a service that is busy at first.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use POSIX ();
use Test::More;

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;
my $prefix = $nginx->prefix;
my $hash = sha256_hex('key-of-the-shop');
my $page = KTP::Nginx::read_file('docs/clients.md');
my $busy = "$prefix/busy";
my $log = "$prefix/logs/f.log";
my $reports = "$prefix/logs/reports.log";
my $sizes = 0;

# heading, file, what must be there, and how it is run; a block of each
my @languages = (
    ['Shell',   'ktp.sh',   'curl --version && jq --version', 'sh ktp.sh'],
    ['PHP',     'ktp.php',  q{php -r 'exit(!function_exists("curl_init"));'},
     'php ktp.php'],
    ['Laravel', 'Ktp.php',  'php -v', undef],
    ['Node.js', 'ktp.mjs',  q{node -e 'process.exit(typeof fetch == "function" ? 0 : 1)'},
     'node ktp.mjs'],
    ['Python',  'ktp.py',   q{/usr/bin/python3 -c 'import requests'},
     '/usr/bin/python3 ktp.py'],
    ['Go',      'ktp.go',   'go version', './ktp', 'go build ktp.go'],
    ['Java',    'Ktp.java', 'javac --version', 'java -cp . Ktp',
     'javac Ktp.java'],
);

$nginx->start($nginx->config(
    main => KTP::load_module(), connections => 64, http => <<"EOH",
        ktp_zone z:1m;
        ktp_answer_zone answers:1m;
        ktp_client shop { key_sha256 $hash; }
        log_format r '\$args';
        log_format f '\$status \$http_idempotency_key';
EOH
    server => <<"EOC")) or BAIL_OUT($nginx->complaint);
        access_log $log f;
        location = /v2/ktp/extract {
            if (-f $busy) {
                return 503;
            }
            add_header Retry-After \$retry always;
            ktp_auth on;
            ktp_idempotency required;
            ktp_pass $url/x;
        }
        location = /ktp/ticket { ktp_auth \$user; ktp_ticket; }
        location = /ktp { ktp_auth ticket; ktp_pass $url/x; }
        location = /report { access_log $reports r; return 204; }
        location /page/ {
            alias $prefix/page/;
            types { text/html html; text/javascript js; image/jpeg jpg; }
        }
        set \$user shop;
        if (-f $prefix/out) {
            set \$user '';
        }
        set \$retry '';
        if (-f $busy) {
            set \$retry 1;
        }
EOC

KTP::Nginx::write_file("$prefix/text.txt", 'no photo' x 100);

local %ENV = (%ENV, KTP_URL => 'http://127.0.0.1:' . $nginx->port
                               . '/v2/ktp/extract',
              KTP_APP_ID => 'shop', KTP_API_KEY => 'key-of-the-shop',
              HOME => $prefix, GOCACHE => "$prefix/go", GOFLAGS => '-mod=mod');
delete @ENV{qw(http_proxy https_proxy HTTP_PROXY HTTPS_PROXY)};

my @headings = grep { $_ ne 'Browser' } $page =~ /^## (.*)$/mg;

is_deeply(\@headings, [map { $_->[0] } @languages],
          'each language of the page has a row here');

for my $row (@languages) {
    my ($name, $file, $has, $run, $build) = @$row;

    SKIP: {
        skip "$name is not installed", 1
            unless system("{ $has; } > /dev/null 2>&1") == 0;

        my ($text) = $page =~ /^## \Q$name\E\n(.*?)(?=^## |\z)/ms;
        my ($code) = $text =~ /^(    .*\n(?:    .*\n|\n)*)/m;

        KTP::Nginx::write_file("$prefix/$file", $code =~ s/^    //mgr);
        $build //= "php -l $file" if !$run;

        if ($build) {
            my $said = qx{cd $prefix && $build 2>&1};

            is($?, 0, "$name: it compiles") or diag($said);
        }

        try_all($name, $run) if $run;
    }
}

browser();

is(scalar(() = $nginx->log_from =~ /\[(?:alert|crit|emerg)\]/g), 0,
   'a clean log');

done_testing();


# The module of the page in Chromium: photos as they are, one that is made
# smaller, what is none, and a user who is not logged in.
sub browser {
    SKIP: {
        skip 'no chromium', 1
            unless system('chromium --version > /dev/null 2>&1') == 0;

        my ($text) = $page =~ /^## Browser\n(.*?)(?=^## )/ms;
        my ($code) = $text =~ m{^(    // ktp\.js\n(?:    .*\n|\n)*)}m;
        my $jpeg = jpeg(800, 600, size => 70_000);

        mkdir "$prefix/page";
        KTP::Nginx::write_file("$prefix/page/ktp.js", $code =~ s/^    //mgr);
        KTP::Nginx::write_file("$prefix/page/card.jpg", $jpeg);
        KTP::Nginx::write_file("$prefix/page/page.html", <<'EOC');
<!DOCTYPE html><title>.</title><link rel=icon href="data:,">
<script type=module>
import { upload } from './ktp.js';

const report = (text) => fetch('/report?' + encodeURIComponent(text));
const canvas = document.createElement('canvas');
canvas.width = 3000;
canvas.height = 1800;
const context = canvas.getContext('2d');
const noise = context.createImageData(3000, 1800);
for (let i = 0; i < noise.data.length; i++) {
  noise.data[i] = i % 4 == 3 ? 255 : Math.random() * 256;
}
context.putImageData(noise, 0, 0);

const as = (type) => new Promise((done) => canvas.toBlob(done, type));
const card = await (await fetch('card.jpg')).blob();
const png = await as('image/png');
const files = [['card', card], ['png', png], ['webp', await as('image/webp')],
               ['text', new Blob(['x'.repeat(1000)], { type: 'text/plain' })],
               ['bad', new Blob(['x'.repeat(1000)], { type: 'image/jpeg' })]];

for (const [name, file] of files) {
  let line;
  try { line = (await upload(file)).full_name; } catch (e) { line = e.message; }
  await report(`${name} ${file.size > 5242880} ${line}`);
}

await report('done');
</script>
EOC
        $up->reset;

        my @lines = chromium();
        my @calls = $up->calls;

        is($lines[0], 'card false SPECIMEN', 'Browser: a photo');
        is($lines[1], 'png true SPECIMEN', '... one that is too large');
        is($lines[2], 'webp false SPECIMEN', '... one of another format');
        like($lines[3], qr/^text false INVALID_PAYLOAD_IMAGE_FORMAT type_unknown/,
             '... what is no image');
        like($lines[4],
             qr/^bad false INVALID_PAYLOAD_IMAGE_FORMAT type_unknown [0-9a-f]{32}$/,
             '... what the gateway refuses');
        is(scalar @calls, 3, '... three calls');
        ok($calls[0]{body} eq json_body($jpeg), '... the photo as it is');

        KTP::Nginx::write_file("$prefix/out", '');
        @lines = chromium();
        unlink "$prefix/out";
        like($lines[0], qr/^card false UNAUTHORIZED/, '... nobody is logged in');
    }
}


# The lines that the page reports.
sub chromium {
    my $from = -s $reports // 0;
    my $pid = fork // die "fork: $!\n";

    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec 'chromium', '--headless', '--no-sandbox', '--disable-gpu',
            '--remote-debugging-port=0',
            'http://127.0.0.1:' . $nginx->port . '/page/page.html'
            or POSIX::_exit(127);
    }

    my @lines;

    KTP::Nginx::wait_for(sub {
        @lines = split /\n/, KTP::Nginx::read_file($reports, $from);
        return @lines && $lines[-1] eq 'done';
    }, 60);
    kill 'TERM', $pid;
    waitpid $pid, 0;

    return map { s/%([0-9A-F]{2})/chr hex $1/egr } @lines;
}


sub try_all {
    my ($name, $run) = @_;

    my ($status, $said) = program($run, card());
    is($status, 0, "$name: success") or diag($said);
    like($said, qr/SPECIMEN/, '... with the fields');

    ($status, $said) = program($run, 'text.txt');
    is($status, 1, "$name: an error");
    like($said, qr/INVALID_PAYLOAD_IMAGE_FORMAT\W.*type_unknown\W.*[0-9a-f]{32}/,
         '... with code, reason and the id');

    $up->answer(KTP::Upstream::response('200 OK',
        '{"message":"x","error_code":"FAIL_ON_1","data":{"full_name":""}}'));
    ($status, $said) = program($run, card());
    is($status, 1, "$name: a photo that is not good enough");
    like($said, qr/FAIL_ON_1/, '... is an error, with status 200');
    $up->reset;

    # busy until the first request has been answered

    my $from = -s $log;
    my $calls = () = $up->calls;
    my $pid = fork // die "fork: $!\n";

    KTP::Nginx::write_file($busy, '') if $pid;

    if ($pid == 0) {
        KTP::Nginx::wait_for(
            sub { KTP::Nginx::read_file($log, $from) =~ /^503 / }, 30);
        unlink $busy;
        POSIX::_exit(0);
    }

    ($status, $said) = program($run, card());
    waitpid $pid, 0;

    is($status, 0, "$name: a busy service is asked again") or diag($said);
    like(logged($from, 2), qr/\A503 (\S+)\n200 \1\n\z/,
         '... once, with the same Idempotency-Key');
    is(scalar(() = $up->calls) - $calls, 1, '... with one call');

    # while it is busy for good, the program gives up

    KTP::Nginx::write_file($busy, '');
    $from = -s $log;
    ($status, $said) = program($run, card());
    unlink $busy;

    is($status, 1, "$name: a service that stays busy");
    like($said, qr/SERVICE_UNAVAILABLE/, '... is an error');
    like(logged($from, 3), qr/\A(?:503 \S+\n){3}\z/,
         '... after three attempts');
}


# The log from an offset on; a client may have its answer before the n-th line.
sub logged {
    my ($from, $n) = @_;

    KTP::Nginx::wait_for(
        sub { KTP::Nginx::read_file($log, $from) =~ tr/\n// >= $n });

    return KTP::Nginx::read_file($log, $from);
}


# A photo that was not sent before.
sub card {
    KTP::Nginx::write_file("$prefix/card.jpg",
                           jpeg(800, 600, size => 50_000 + ++$sizes));

    return 'card.jpg';
}


# The exit status, and what was printed.
sub program {
    my ($run, $file) = @_;

    my $said = qx{cd $prefix && timeout 60 $run $file 2>&1};

    return ($? >> 8, $said);
}
