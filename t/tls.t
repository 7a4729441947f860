# TLS to the upstream: what is verified, what is sent, what is refused.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = KTP::Nginx::scratch_dir();
my $slow = $KTP::Nginx::Slow;


# -- an authority, and certificates of it and of nobody

sub run {
    system("cd $dir && $_[0] > openssl.log 2>&1") == 0
        or die "$_[0]:\n" . KTP::Nginx::read_file("$dir/openssl.log");
}

sub key { run("openssl genpkey -algorithm EC -pkeyopt "
              . "ec_paramgen_curve:P-256 -out $_[0].key") }

sub authority {
    my ($name) = @_;

    key($name);
    run("openssl req -x509 -new -key $name.key -subj /CN=$name -days 30 "
        . "-out $name.pem");
}

# certificate(NAME, AUTHORITY, NAMES, NOT_AFTER)
sub certificate {
    my ($name, $by, $names, $end) = @_;

    key($name);
    KTP::Nginx::write_file("$dir/$name.cnf", <<"EOC");
[ca]
default_ca = d
[d]
database = $dir/$name.db
serial = $dir/$name.srl
new_certs_dir = $dir
default_md = sha256
policy = p
x509_extensions = x
[p]
commonName = supplied
[x]
subjectAltName = $names
EOC
    KTP::Nginx::write_file("$dir/$name.db", '');
    run("openssl req -new -key $name.key -subj /CN=$name -out $name.csr");
    run("openssl ca -batch -config $name.cnf -create_serial -in $name.csr "
        . "-cert $by.pem -keyfile $by.key -startdate 20200101000000Z "
        . "-enddate $end -notext -out $name.pem");
}

authority($_) for qw(ours theirs);
certificate('good', 'ours', 'DNS:bank.test,IP:127.0.0.1',
            '20450101000000Z');
certificate('named', 'ours', 'DNS:vendor.test', '20450101000000Z');
certificate('expired', 'ours', 'IP:127.0.0.1', '20210101000000Z');
certificate('foreign', 'theirs', 'IP:127.0.0.1', '20450101000000Z');
certificate('client', 'theirs', 'DNS:client', '20450101000000Z');
run('openssl pkcs8 -topk8 -passout pass:x -in good.key -out locked.key');


# -- the upstream: an nginx that speaks TLS in front of the scripted one

my $up = KTP::Upstream->new;
my $front = KTP::Nginx->new;
my %port = map { $_ => KTP::Nginx::free_port() }
           qw(good named expired foreign client);

my $servers = join '', map {
    my $cert = $_ eq 'client' ? 'good' : $_;
    my $ask = $_ eq 'client'
        ? "ssl_verify_client on; ssl_client_certificate $dir/theirs.pem;" : '';

    <<"EOC";
    server {
        listen 127.0.0.1:$port{$_} ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:1m;
        ssl_certificate $dir/$cert.pem;
        ssl_certificate_key $dir/$cert.key;
        $ask
        access_log logs/tls.log tls;
        location / {
            proxy_pass @{[$up->url]};
            proxy_set_header X-Host \$http_host;
            proxy_set_header X-SNI \$ssl_server_name;
        }
    }
EOC
} sort keys %port;

ok($front->start($front->config(
    http => "log_format tls '\$ssl_session_reused \$ssl_protocol \$connection "
            . "\$ssl_client_s_dn';\n$servers",
    log_level => 'info')), 'the upstream starts')
    or diag($front->complaint);


# -- the gateway

KTP::Nginx::write_file("$dir/gone.pem", KTP::Nginx::read_file("$dir/ours.pem"));

my $nginx = KTP::Nginx->new(resolver => 1);

$nginx->hosts(['bank.test', '127.0.0.1'], ['other.test', '127.0.0.1']);

sub location {
    my ($name, $url, @more) = @_;

    return "location = /$name { ktp_pass $url/v2; "
           . join('', map { "$_; " } @more) . "}\n";
}

my $ca = "ktp_ssl_trusted_certificate $dir/ours.pem";
my $https = 'https://127.0.0.1';

my $conf = $nginx->config(
    main => KTP::load_module(),
    http => "    log_format ktp '\$uri \$status \$ktp_outcome \$ktp_billed';\n"
            . "    access_log logs/ktp.log ktp; ktp_connect_timeout @{[5 * $slow]}s;\n",
    server => join('',
        location('good', "$https:$port{good}", $ca),
        location('by-name', "https://bank.test:$port{good}", $ca),
        location('wrong-name', "https://other.test:$port{good}", $ca),
        location('other-name', "$https:$port{named}", $ca,
                 'ktp_ssl_name vendor.test'),
        location('no-other-name', "$https:$port{named}", $ca),
        location('expired', "$https:$port{expired}", $ca),
        location('expired-off', "$https:$port{expired}", $ca,
                 'ktp_ssl_verify off'),
        location('foreign', "$https:$port{foreign}", $ca),
        location('foreign-system', "$https:$port{foreign}"),
        location('foreign-off', "$https:$port{foreign}", 'ktp_ssl_verify off'),
        location('client', "$https:$port{client}", $ca,
                 "ktp_ssl_certificate $dir/client.pem",
                 "ktp_ssl_certificate_key $dir/client.key"),
        location('no-client', "$https:$port{client}", $ca),
        location('gone', "$https:$port{good}",
                 "ktp_ssl_trusted_certificate $dir/gone.pem"),
        location('new-each-time', "$https:$port{good}", $ca,
                 'ktp_keepalive 0')));

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

unlink "$dir/gone.pem";

my $body = json_body(jpeg(800, 600, size => 40_000));

sub passes {
    my ($uri, $name) = @_;

    my $got = post($nginx->port, $uri, $body);

    is($got->{status}, 200, $name);
    return ($up->calls)[-1];
}

sub fails {
    my ($uri, $name, $reason) = @_;

    my $before = () = $up->calls;
    my $got = post($nginx->port, $uri, $body);

    is($got->{status}, 502, "$name: 502");
    like($got->{body}, qr/"INTERNAL_SERVER_ERROR"/, "$name: its body");
    ok($nginx->wait_log(qr{upstream\ call\ failed\ $reason.*
                           upstream:\ "https://[a-z0-9.:]+/v2",
                           \ address:\ "127\.0\.0\.1:\d+".*POST\ $uri}x),
       "$name: the log says why");
    is(scalar(my @calls = $up->calls), $before, "$name: nothing was sent");

    my $log = $nginx->prefix . '/logs/ktp.log';
    my $deadline = time() + 3 * $slow;
    my $wanted = qr{^$uri 502 upstream_error no$}m;

    sleep 0.005
        until KTP::Nginx::read_file($log) =~ $wanted || time() > $deadline;
    like(KTP::Nginx::read_file($log), $wanted,
         "$name: upstream_error, not billed");
}

# What the upstream logged from an offset on, when it has so many lines: a
# line is written after the answer.
sub tls_log {
    my ($from, $lines) = @_;

    my $deadline = time() + 3 * $slow;
    my $text;

    do {
        sleep 0.005;
        $text = KTP::Nginx::read_file($front->prefix . '/logs/tls.log', $from);
    } until ($text =~ tr/\n//) >= $lines || time() > $deadline;

    return $text;
}

my $call = passes('/good', 'an authority of our own');

passes('/by-name', 'a name in the certificate');
fails('/wrong-name', 'wrong name',
      '\(tls_name\):\ .*no\ alternative\ certificate\ subject\ name');

$call = passes('/other-name', 'ktp_ssl_name');
like($call->{head}, qr/^X-SNI: vendor\.test\r$/m, 'it is sent as SNI');
like($call->{head}, qr/^X-Host: 127\.0\.0\.1:$port{named}\r$/m,
     'and the Host is that of the URL');
fails('/no-other-name', 'without it',
      '\(tls_name\):\ .*no\ alternative\ certificate\ subject\ name');

fails('/expired', 'expired',
      '\(tls_expired\):\ .*certificate\ has\ expired');
passes('/expired-off', 'expired, ktp_ssl_verify off');
fails('/foreign', 'unknown issuer',
      '\(tls_issuer\):\ .*unable\ to\ get\ local\ issuer');
fails('/foreign-system', 'not an issuer of the system',
      '\(tls_issuer\):\ .*unable\ to\ get\ local\ issuer');
passes('/foreign-off', 'unknown issuer, ktp_ssl_verify off');
fails('/foreign', 'unknown issuer, with a connection of "off" at hand',
      '\(tls_issuer\):\ .*unable\ to\ get\ local\ issuer');

fails('/gone', 'a file of authorities that is gone',
      '\(ca_file\):\ .*/gone\.pem');

passes('/client', 'a certificate of the client');
my $tls = $front->prefix . '/logs/tls.log';
like(tls_log(0, 6), qr/CN=client$/m, 'is asked for and sent');
is(post($nginx->port, '/no-client', $body)->{status}, 502,
   'without it: the answer is a page, 502');
tls_log(0, 7);


# -- sessions and connections are used again

my $from = -s $tls;

passes('/new-each-time', "new connection $_") for 1 .. 6;

my @lines = split /\n/, tls_log($from, 6);
my %connections = map { (split)[2] => 1 } @lines;
my $reused = grep { /^r / } @lines;

is(scalar keys %connections, 6, 'ktp_keepalive 0: a connection for each');
cmp_ok($reused, '>=', 5, 'TLS sessions are resumed');

SKIP: {
    skip 'this nginx has no debug log', 2
        unless `$KTP::Nginx::Binary -V 2>&1` =~ /--with-debug/;

    my @tls = $nginx->log_from
        =~ /ktp call connected: TLSv1\.3, (new|resumed) session/g;

    is($tls[0], 'new', 'the debug log tells a new session');
    is($tls[-1], 'resumed', 'from one that is resumed');
}

$from = -s $tls;
passes('/good', "kept connection $_") for 1 .. 4;
%connections = map { (split)[2] => 1 }
               split /\n/, tls_log($from, 4);
is(scalar keys %connections, 1, 'a connection is kept');

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;


# -- what nginx -t says of bad files

KTP::Nginx::write_file("$dir/empty.pem", '');

for my $case (
    ["ktp_ssl_trusted_certificate $dir/none.pem;",
     qr/open\(\) "$dir\/none\.pem" failed \(2: /],
    ["ktp_ssl_trusted_certificate $dir/ours.key;",
     qr/cannot load trusted certificates from "$dir\/ours\.key"/],
    ["ktp_ssl_certificate $dir/good.pem;",
     qr/no "ktp_ssl_certificate_key" is defined for certificate/],
    ["ktp_ssl_certificate $dir/none.pem; ktp_ssl_certificate_key x;",
     qr/open\(\) "$dir\/none\.pem" failed/],
    ["ktp_ssl_certificate $dir/empty.pem; ktp_ssl_certificate_key x;",
     qr/"$dir\/empty\.pem" is empty or larger/],
    ["ktp_ssl_certificate $dir/good.key; ktp_ssl_certificate_key "
     . "$dir/good.key;", qr/no certificate in "$dir\/good\.key"/],
    ["ktp_ssl_certificate $dir/good.pem; ktp_ssl_certificate_key "
     . "$dir/good.pem;", qr/no private key, or an .* in "$dir\/good\.pem"/],
    ["ktp_ssl_certificate $dir/good.pem; ktp_ssl_certificate_key "
     . "$dir/locked.key;", qr/no private key, or an .* in "$dir\/locked\.key"/],
    ["ktp_ssl_certificate $dir/good.pem; ktp_ssl_certificate_key "
     . "$dir/named.key;",
     qr/private key of another certificate in "$dir\/named\.key"/]) {

    my ($text, $want) = @$case;
    my ($status, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(),
        server => "location /x { ktp_pass https://a.test/v2; $text }\n"));

    is($status, 1 << 8, "nginx -t refuses $text");
    like($said, $want, 'and says why');
}

done_testing();
