# conf-examples/gateway-host.conf and reader-host.conf on three hosts: network
# namespaces that this script makes, with cables between them.  The vendor is
# scripted, the readers are real, and the certificates are made by the commands
# of docs/ktp-extractd.md.

use strict;
use warnings;

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use File::Find ();
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use KTP ();
use KTP::Example qw(relocate);
use KTP::Extractd;
use KTP::Hosts;
use KTP::Image;
use KTP::Nginx;
use KTP::Specimen;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(time);

KTP::Hosts::alone();

$SIG{PIPE} = 'IGNORE';

my $slow = $KTP::Nginx::Slow;

# ktp_read_timeout of a gateway: a reader that is left alone reads four cards
my $patience = 20 * $slow;

my $doc = KTP::Nginx::read_file('docs/ktp-extractd.md');
my $dir = KTP::Nginx::scratch_dir();
my $ca = "$dir/ktp-authority";
my ($card, $truth) = KTP::Specimen::draw(9);

KTP::Hosts::own('10.20.0.1');
certificates();

my %reader = map { $_ => reader($_) } 1, 2;
my $vendor = KTP::Upstream->new(unix => "$dir/vendor");
my $gateway = gateway();

first();
taking_turns();
large();
strangers();

# without the check, each upload is one call
$gateway->stop;
$gateway = gateway(sub { $_[0] =~ s{^ *ktp_precheck .*\n}{}mr });

lost('killed', \&kill_nginx, \&start);
lost('cut off', \&pull, \&plug);
no_daemon();
other_key();
logs();
done_testing();


# -- hosts

sub run {
    my ($command) = @_;

    system("($command) > $dir/out 2>&1") == 0
        or die "$command:\n" . KTP::Nginx::read_file("$dir/out");
}


# The commands of a part of the page, of whichever host.
sub commands {
    my ($part, %host) = @_;

    my ($text) = $doc =~ /^### \Q$part\E\n(.*?)(?=^##|\z)/ms;

    return $text =~ /^```sh\n(.*?)^```$/msg;
}


sub certificates {
    my ($authority, $server, $client) = commands('Certificates');

    # a second authority of the same name, which nobody trusts
    for my $base ($dir, "$dir/strange") {
        mkdir $base;
        run("cd $base; $authority");

        for (['reader-1', $server], ['reader-2', $server],
             ['gateway-1', $client]) {
            my ($host, $command) = @$_;

            run("cd $base/ktp-authority; "
                . $command =~ s/^host=.*/host=$host/mr);
        }
    }

    KTP::Nginx::write_file("$ca/credentials", "local:shared-key\n");
    run("cd $ca; " . (commands('The key that readers share'))[0]);
}


# A reader host: its namespace, the daemon and nginx.
sub reader {
    my ($n) = @_;

    my $host = KTP::Hosts->new("reader$n");

    $host->cable('eth0', "10.20.0.1$n", '10.20.0.1');

    my $nginx = KTP::Nginx->new(enter => $host->enter);
    my $self = { n => $n, enter => $host->enter, nginx => $nginx };

    daemon($self, 'shared-key');

    my $prefix = $nginx->prefix;
    my $secrets = "$prefix/conf/secrets";

    run("install -d -m 700 $secrets && install -m 644 $ca/ktp-authority.pem $secrets"
        . " && cp $ca/reader-$n.pem $secrets/ktp-reader.pem"
        . " && cp $ca/reader-$n.key $secrets/ktp-reader.key");

    my $conf = relocate(KTP::Nginx::read_file('conf-examples/reader-host.conf'),
                        $prefix);

    # no temporary file can be made where there is no folder
    $self->{folders} = [map { "$prefix/$_" } qw(client_body proxy)];
    $conf =~ s{^http \{\n}{$& . join '', map {
        "    ${_}_temp_path $prefix/$_;\n" } qw(client_body proxy)}me;

    $self->{conf} = $conf;
    start($self);

    return $self;
}


sub start {
    my ($self) = @_;

    my $nginx = $self->{nginx};

    ok($nginx->start($self->{conf}), "reader $self->{n} starts")
        or BAIL_OUT($nginx->complaint);
    rmdir $_ or die "$_: $!\n" for @{ $self->{folders} };
}


# The daemon of a reader host, with a key.
sub daemon {
    my ($self, $key) = @_;

    my $prefix = $self->{nginx}->prefix;
    my $socket = "$prefix/ktp-extractd/ktp-extractd.sock";

    mkdir "$prefix/ktp-extractd";
    KTP::Nginx::write_file("$prefix/conf/credentials", "local:$key\n");
    chmod 0600, "$prefix/conf/credentials";
    $self->{daemon} = KTP::Extractd->new(
        '--workers', 1, '--socket', $socket, '--socket-mode', '0666',
        '--credentials', "$prefix/conf/credentials");
}


sub gateway {
    my ($change) = @_;

    my $nginx = KTP::Nginx->new;
    my $prefix = $nginx->prefix;
    my $secrets = "$prefix/conf/secrets";
    my $conf = relocate(KTP::Nginx::read_file('conf-examples/gateway-host.conf'),
                        $prefix);
    my $hash = sha256_hex('key');

    run("install -d -m 700 $secrets && install -m 644 $ca/ktp-authority.pem $prefix/conf"
        . " && install -m 600 $ca/ktp-readers-key $secrets"
        . " && cp $ca/gateway-1.pem $secrets/ktp-gateway.pem"
        . " && cp $ca/gateway-1.key $secrets/ktp-gateway.key"
        . " && cp $ca/reader-1.pem $secrets/tls.pem"
        . " && cp $ca/reader-1.key $secrets/tls.key");

    for (qw(ktp-app-id ktp-api-key)) {
        KTP::Nginx::write_file("$secrets/$_", "vendor-secret\n");
        chmod 0600, "$secrets/$_";
    }

    $conf =~ s{\b0{64}\b}{$hash};
    $conf =~ s{https://api\.verihubs\.com}{unix:$dir/vendor:};

    # a busy machine may take its time
    $conf =~ s{timeout=1s}{timeout=1m};
    $conf =~ s{(ktp_connect_timeout +)300ms}{$1 . 3 * $slow . 's'}e;
    $conf =~ s{(ktp_read_timeout +)8s}{$1 . $patience . 's'}e;
    $conf =~ s{(ktp_timeout +)20s}{$1 . 4 * $patience . 's'}e;
    $conf =~ s{rate 5/s}{rate 1000/s};

    # a photo of 5 MB is one by its comment
    $conf =~ s{(ktp_strip_metadata +)on}{$1off};

    $conf = $change->($conf) if $change;

    ok($nginx->start($conf), 'the gateway starts')
        or BAIL_OUT($nginx->complaint);

    my $log = $nginx->log_from . KTP::Nginx::read_file("$prefix/logs/stderr");
    unlike($log =~ s/\[warn\] .*, quotas start from zero$//mgr,
           qr/\[(?:warn|alert|crit|emerg)\]/, '... without a warning');

    return $nginx;
}


# What curl sends as an application.
sub arguments {
    my ($image) = @_;

    KTP::Nginx::write_file("$dir/image.jpg", $image);

    return ('-k', '-H', 'App-ID: branch-office', '-H', 'API-Key: key', '-F',
            "image=\@$dir/image.jpg", 'https://127.0.0.1/v2/ktp/extract');
}

sub upload { return KTP::Nginx::curl(arguments(@_)) }


# Several uploads at a time: their statuses, after what is done meanwhile.
sub uploads {
    my ($n, $image, $meanwhile) = @_;

    my @arguments = arguments($image);
    my @curl = map {
        open my $in, '-|', 'curl', '-sS', '-o', "$dir/answer-$_", '-w',
             '%{http_code}', '--max-time', 5 * $patience, @arguments
            or die "curl: $!\n";
        $in
    } 1 .. $n;

    $meanwhile->();

    return map { my $status = <$_>; close $_; $status // 'none' } @curl;
}


# The lines of a reader's log.
sub lines {
    my ($n) = @_;

    return map { decode_json($_) }
           split /\n/, KTP::Nginx::read_file($reader{$n}{nginx}->prefix
                                             . '/logs/ktp-reader.log');
}


sub source {
    my ($answer) = @_;

    return $answer->{head} =~ /^X-KTP-Source: (\S+)\r$/mi ? $1 : '';
}


# -- cases

sub first {
    my $answer = upload($card);

    is(source($answer), 'upstream', 'the vendor reads a card')
        or diag($answer->{head}, $answer->{body}, $gateway->log_from);
    like(($vendor->calls)[0]{head}, qr/^API-Key: vendor-secret\r$/m,
         '... with its own key');

    $answer = upload((KTP::Specimen::draw(1, '--page'))[0]);
    is($answer->{status}, 400, 'a page without a card is refused');
    is(source($answer), 'precheck', '... by a reader on another host');
    is(scalar(() = $vendor->calls), 1, '... and not paid for');

    $vendor->stop;
    $answer = upload($card);
    is($answer->{status}, 200, 'a card while the vendor is down');
    is(source($answer), 'fallback', '... is read by a reader');
    is(decode_json($answer->{body})->{data}{$_}, $truth->{$_}, "... its $_")
        for sort keys %$truth;
}


sub taking_turns {
    my @before = map { scalar(() = lines($_)) } 1, 2;

    is(source(upload($card)), 'fallback', "card $_") for 1 .. 4;

    my @now;
    KTP::Nginx::wait_for(sub {
        @now = map { lines($_) - $before[$_ - 1] } 1, 2;
        $now[0] + $now[1] == 8;
    });
    is("@now", '4 4', 'both readers take turns');

    my ($line) = (lines(1))[-1];

    is($line->{gateway}, 'CN=gateway-1', 'the gateway has shown its certificate');
    is($line->{tls}, 'TLSv1.3', '... by TLS');
    is($line->{resumed}, 'r', '... with a session that is resumed');
    is($line->{status}, 200, '... and has got an answer');
}


# Files of a reader host, but for logs.
sub files {
    my ($self) = @_;

    my @files;

    File::Find::find(sub {
        push @files, $File::Find::name
            if !-d && $File::Find::name !~ m{/logs/};
    }, $self->{nginx}->prefix);

    return join ' ', sort @files;
}


sub large {
    my @before = map { files($reader{$_}) } 1, 2;
    my $lines = lines(1) + lines(2);
    my $answer = upload(jpeg(1000, 640, size => 5_242_880));

    is(source($answer), 'precheck', 'a photo of 5 MB reaches a reader')
        or diag($gateway->log_from, map { $_->{nginx}->log_from } values %reader);
    ok(KTP::Nginx::wait_for(sub { lines(1) + lines(2) > $lines }), '... once');

    my ($line) = sort { $b->{request_bytes} <=> $a->{request_bytes} }
                 lines(1), lines(2);

    cmp_ok($line->{request_bytes}, '>', 6_990_000, '... as a whole');
    is(join(' ', map { files($reader{$_}) } 1, 2), "@before",
       '... which has no new file');
    is(join(' ', grep { -e } map { @{ $_->{folders} } } values %reader), '',
       '... and no folder for it');
}


# A request to reader 1 as a host with that certificate; what was sent of the
# body is the last word of the answer.
sub knock {
    my ($base, $host, $size) = @_;

    my $image = jpeg(1000, 640);

    KTP::Nginx::write_file("$dir/image.jpg",
                           $image . "\0" x ($size - length $image));

    my $answer = KTP::Nginx::curl(
        '--cacert', "$ca/ktp-authority.pem", '--resolve',
        'ktp-readers.internal:8443:10.20.0.11',
        ($host ? ('--cert', "$base/ktp-authority/$host.pem",
                  '--key', "$base/ktp-authority/$host.key") : ()),
        '-H', 'App-ID: local', '-H', 'API-Key: shared-key',
        '-H', 'Content-Type: image/jpeg', '-H', 'Expect: 100-continue',
        '--expect100-timeout', 60 * $slow, '--data-binary',
        "\@$dir/image.jpg", '-w', ' %{size_upload}',
        'https://ktp-readers.internal:8443/v2/ktp/extract');

    ($answer->{sent}) = $answer->{body} =~ / (\d+)\z/;

    return $answer;
}


# Requests that the daemon of reader 1 has answered.
sub answered {
    my $sum = 0;

    $sum += $_ for $reader{1}{daemon}->request(method => 'GET', uri => '/metrics')
                   ->{body} =~ /^ktp_extractd_responses_total\{.*\} (\d+)$/mg;

    return $sum;
}


sub strangers {
    my $before = answered();
    my $answer = knock($dir, 'gateway-1', 100_000);

    is($answer->{status}, 400, 'a gateway may ask a reader')
        or diag(%$answer);
    like($answer->{body}, qr/KTP_NOT_DETECTED/, '... and has its answer');
    is($answer->{sent}, 100_000, '... to the whole photo');
    is(answered(), ++$before, '... of the daemon');

    for (['no certificate', $dir, ''],
         ['one of another authority', "$dir/strange", 'gateway-1'],
         ['one of a reader', $dir, 'reader-2']) {
        my ($name, $base, $host) = @$_;

        $answer = knock($base, $host, 100_000);
        is($answer->{status}, 400, "$name: rejected");
        like($answer->{body}, qr/SSL certificate/, "$name: by nginx");
        is($answer->{sent}, 0, "$name: before the photo");
        is(answered(), $before, "$name: the daemon has not seen it");
    }

    $answer = knock($dir, 'gateway-1', 8_000_000);
    is($answer->{status}, 413, 'a body that is too large');
    is($answer->{sent}, 0, '... is rejected before it is sent');

    # what needs no certificate

    for (['/health', 200], ['/metrics', 200], ['/v2/ktp/extract', 404]) {
        my ($uri, $status) = @$_;

        is(KTP::Nginx::curl("http://10.20.0.11:8081$uri")->{status}, $status,
           "$uri without a certificate: $status");
    }

    is(KTP::Nginx::curl('-k', 'https://10.20.0.11:8443/health')->{status}, 400,
       '/health beside the photos needs one');
}


# -- ways in which a reader host is lost and comes back

sub kill_nginx {
    my ($self) = @_;

    my $nginx = $self->{nginx};

    kill 'KILL', $nginx->pid, $nginx->workers;
    $nginx->wait_end;
}


sub pull { run("@{ $_[0]{enter} } ip link set eth0 down") }

sub plug {
    my $enter = join ' ', @{ $_[0]{enter} };

    run("$enter ip link set eth0 up && $enter ip route add 10.20.0.1 dev eth0");
}


sub health {
    my ($self) = @_;

    return $self->{daemon}->request(method => 'GET', uri => '/health')->{json};
}


sub lost {
    my ($name, $lose, $bring_back) = @_;

    my $self = $reader{1};
    my $offset = length $gateway->log_from;
    my ($worker) = $self->{daemon}->workers(1);

    # the first reader has its photos, and does not answer
    kill 'STOP', $worker;

    my @statuses = uploads(4, $card, sub {
        ok(KTP::Nginx::wait_for(sub {
            my $health = health($self);
            $health->{busy} == 1 && $health->{waiting} == 1;
        }), "$name: a reader has two photos");
        $lose->($self);
    });

    kill 'CONT', $worker;

    is("@statuses", '200 200 200 200', "$name: no upload is lost")
        or diag($gateway->log_from($offset));
    is(scalar(() = $gateway->log_from($offset)
              =~ /retrying upstream call.* while asking ktp_fallback/g) > 1, 1,
       "$name: both are sent to the other reader");

    my $begun = time();

    is(join(' ', map { upload($card)->{status} } 1 .. 4), '200 200 200 200',
       "$name: uploads go on");
    cmp_ok(time() - $begun, '<', 4 * $patience,
           "$name: ... and wait for no answer of the host");

    my $lines = lines(1);

    $bring_back->($self);
    ok(KTP::Nginx::wait_for(sub {
        upload($card);
        lines(1) > $lines;
    }, 10), "$name: the host is asked again when it is back");
}


sub no_daemon {
    $reader{2}{daemon}->stop;

    my %statuses;

    ok(KTP::Nginx::wait_for(sub {
        $statuses{upload($card)->{status}} = 1;
        grep { $_->{status} == 444 } lines(2);
    }, 10), 'a daemon is down, and nginx does not answer for it');
    is(join(' ', keys %statuses), '200', '... so that the other host does');
}


sub other_key {
    my $offset = length $gateway->log_from;

    daemon($reader{2}, 'other-key');

    # the failure is that of the vendor, or of its breaker
    ok(KTP::Nginx::wait_for(sub { upload($card)->{status} =~ /^50[23]$/ }, 10),
       'a reader with another key does not answer');
    like($gateway->log_from($offset),
         qr{refuses\ App-ID\ or\ API-Key\ \(401\),\ upstream:
            \ "https://readers/v2/ktp/extract",\ address:\ "10\.20\.0\.12:8443"
            \ while\ asking\ ktp_fallback}x, '... and is named in the log');
}


sub logs {
    my $logs = join '', map { KTP::Nginx::read_file($_) }
               map { glob $_->prefix . '/logs/*' }
               $gateway, map { $_->{nginx} } values %reader;

    like($logs, qr/"gateway":"CN=gateway-1"/, 'the logs of all hosts');
    unlike($logs, qr/\Q$truth->{nik}\E|\Q$truth->{full_name}\E|shared-key|vendor-secret/,
           '... have neither data of a card nor a key');
    is(join("\n", $logs =~ /^(.*\[(?:alert|emerg)\].*)$/mg), '', '... and no alert');
}
