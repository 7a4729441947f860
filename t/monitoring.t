# The dashboard, the alert rules and the log formats of conf-examples hold
# against what the gateway really gives.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $dir = KTP::Nginx::scratch_dir();
my $upstream = KTP::Upstream->new;
my $nik = '3273010107900001';
my $person = qq({"message":"ok","status_code":"V-1","data":{"nik":"$nik",)
           . '"full_name":"BUDI SANTOSO","date_of_birth":"01-07-1990",'
           . '"city":"KOTA BANDUNG"}}';

$upstream->answer(KTP::Upstream::response(200, $person));
KTP::Nginx::write_file("$dir/card.jpg", jpeg(800, 600));
KTP::Nginx::write_file("$dir/none.jpg", 'no image');


# metrics: no query asks for one that there is not

my ($nginx, $port, $port2) = example('metrics.conf');
my $text = KTP::Nginx::curl("http://127.0.0.1:$port2/metrics")->{body};
my %known = map { $_ => 1 } $text =~ /^# TYPE (\S+)/mg;

for my $name ($text =~ /^# TYPE (\S+) histogram/mg) {
    $known{"${name}_$_"} = 1 for qw(bucket sum count);
}

ok(keys %known > 10, 'there are metrics');
$nginx->stop;

my $rules = KTP::Nginx::read_file('conf-examples/prometheus-alerts.yml');
my $board = JSON::PP->new->decode(
    KTP::Nginx::read_file('conf-examples/grafana-dashboard.json'));
my @queries = map { $_->{expr} } map { @{ $_->{targets} } }
              @{ $board->{panels} };

ok(@queries > 10, 'the dashboard has queries');
is_deeply(unknown($rules =~ s/^#.*//mgr), [], 'metrics of the alert rules');
is_deeply(unknown("@queries"), [], 'metrics of the dashboard');

my %ids = map { $_->{id} => 1 } @{ $board->{panels} };
is(scalar keys %ids, scalar @{ $board->{panels} }, 'panels are told apart');

SKIP: {
    skip 'prometheus is not installed', 1
        unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};

    is(system("promtool check rules conf-examples/prometheus-alerts.yml"
              . " > $dir/promtool 2>&1"), 0, 'promtool check rules')
        or diag(KTP::Nginx::read_file("$dir/promtool"));
}


# the audit log: JSON, and nothing of the card in it

($nginx, $port) = example('audit-log.conf');
post($port, "card.jpg", '?reference_id=rahasia');
post($port, "none.jpg", '');
$nginx->stop;

my @lines = split /\n/, KTP::Nginx::read_file(
    $nginx->prefix . '/logs/ktp-audit.log');
my @audit = map { eval { JSON::PP->new->decode($_) } || {} } @lines;

is(scalar @audit, 2, 'a line each');
is($audit[0]{outcome}, 'ok', 'the first was answered');
is($audit[0]{billed}, 'yes', 'and is billed');
is($audit[0]{width}, 800, 'with its width');
like($audit[0]{nik_hmac}, qr/^[0-9a-f]{64}$/, 'a digest of the number');
like($audit[0]{image_hmac}, qr/^[0-9a-f]{64}$/, 'and of the image');
is($audit[1]{outcome}, 'rejected', 'the second was refused');
is($audit[1]{error_code}, 'INVALID_PAYLOAD_IMAGE_FORMAT', 'with its code');
is($audit[1]{billed}, 'no', 'and cost nothing');
unlike("@lines", qr/$nik|BUDI|SANTOSO|07-1990|BANDUNG|rahasia/i,
       'no personal data');


# the billing log: calls only

($nginx, $port) = example('billing-log.conf');
post($port, "none.jpg", '');
post($port, "card.jpg", '');
$nginx->stop;

my $billing = KTP::Nginx::read_file($nginx->prefix . '/logs/ktp-billing.log');

like($billing, qr/\A\S+\t[0-9a-f]{32}\t-\tyes\t200\tV-1\t-\t[0-9.]+\t0\n\z/,
     'one line for the call, none for what was refused');

done_testing();


# Starts a configuration of conf-examples with the scripted upstream; returns
# nginx and its ports.
sub example {
    my ($name) = @_;

    my $self = KTP::Nginx->new;
    my $prefix = $self->prefix;
    my $conf = KTP::Nginx::read_file("conf-examples/$name");
    my $build = KTP::Nginx::build_dir();
    my $url = $upstream->url;
    my (%ports, @ports);

    $conf =~ s{load_module modules/}{load_module $build/}g;
    $conf =~ s{ktp_pass\s+\S+;}{ktp_pass $url/x;}g;
    $conf =~ s{/var/log/nginx/}{$prefix/logs/}g;
    $conf =~ s{127\.0\.0\.1:(80\d\d)}{
        '127.0.0.1:' . ($ports{$1} ||= KTP::Nginx::free_port())
    }ge;

    while ($conf =~ m{\bfile:([^\s;/]+)}g) {
        KTP::Nginx::write_file("$prefix/conf/$1", "a secret of the test\n");
        chmod 0600, "$prefix/conf/$1";
    }

    ok($self->start($conf), "$name starts") or diag($self->complaint);
    push @ports, $1 while $conf =~ /listen 127\.0\.0\.1:(\d+)/g;

    return ($self, @ports);
}


sub post {
    my ($at, $file, $args) = @_;

    return KTP::Nginx::curl('-H', 'Content-Type: image/jpeg', '--data-binary',
                            "\@$dir/$file", "http://127.0.0.1:$at/ktp$args");
}


# Names in a query that look like metrics and are none of ours.
sub unknown {
    my ($query) = @_;

    return [grep { !$known{$_} } $query =~ /\b(ktp_\w+)/g];
}
