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

is(scalar(() = $nginx->log_from =~ /\[(?:alert|crit|emerg)\]/g), 0,
   'a clean log');

done_testing();


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
