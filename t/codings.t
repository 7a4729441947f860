# Answers of the upstream with a content coding, a byte order mark or nulls:
# whatever the policy, the client gets what is in them, within the limits of
# what is decoded.

use strict;
use warnings;

use lib 't/lib';
use IO::Compress::Deflate qw(deflate);
use IO::Compress::Gzip qw(gzip);
use IO::Compress::RawDeflate qw(rawdeflate);
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $images = KTP::Upstream->new;
my $url = $up->url;
my $jpeg = jpeg(800, 600, size => 40_000);
my $body = json_body($jpeg);

my $nik = '3273010107900001';
my $answer = qq({"message":"Success","status_code":"V-1","data":{"nik":"$nik",)
           . '"gender":null,"city":"KOTA BANDUNG"}}';

# what each policy leaves of it
my %want = (
    pass   => $answer,
    fields => '{"message":"Success","status_code":"V-1","data":{"gender":"",'
              . '"city":"KOTA BANDUNG"}}',
    mask   => '{"message":"Success","status_code":"V-1","data":{'
              . '"nik":"************0001","gender":"","city":"KOTA BANDUNG"}}',
    check  => qr/"gender":"","city":"KOTA BANDUNG","nik_check":\{/,
);

ok($nginx->start($nginx->config(
    main   => KTP::load_module(),
    http   => 'log_format ktp "$uri $status $ktp_outcome $ktp_billed";'
              . 'access_log logs/ktp.log ktp;',
    server => <<"EOC",
        ktp_app_id id;
        location /pass { ktp_pass $url/v2; }
        location /fields { ktp_pass $url/v2; ktp_fields gender city; }
        location /mask { ktp_pass $url/v2; ktp_mask nik=last:4; }
        location /check { ktp_pass $url/v2; ktp_nik_check on; }
        location /fetch {
            ktp_pass $url/v2;
            ktp_image_url fetch;
            ktp_image_url_allow 127.0.0.0/8;
        }
EOC
    log_level => 'info')), 'nginx starts') or diag($nginx->complaint);

sub squeeze {
    my ($how, $text) = @_;

    $how->(\$text => \my $out) or die "cannot compress\n";

    return $out;
}

my $gzip = squeeze(\&gzip, $answer);

my @codings = (
    ['no coding'         => $answer],
    ['identity'          => $answer, 'identity'],
    ['gzip'              => $gzip, 'gzip'],
    ['x-gzip'            => $gzip, 'x-gzip'],
    ['deflate'           => squeeze(\&deflate, $answer), 'deflate'],
    ['raw deflate'       => squeeze(\&rawdeflate, $answer), 'deflate'],
    ['gzip twice'        => squeeze(\&gzip, $gzip), 'gzip, gzip'],
    ['BOM'               => "\xef\xbb\xbf$answer"],
    ['BOM in gzip'       => squeeze(\&gzip, "\xef\xbb\xbf$answer"), 'gzip'],
);

for my $case (@codings) {
    my ($name, $bytes, $coding) = @$case;

    $up->answer(coded($bytes, $coding));

    for my $policy (sort keys %want) {
        my $got = post($nginx->port, "/$policy", $body);

        is($got->{status}, 200, "$name, $policy: 200");
        ref $want{$policy} ? like($got->{body}, $want{$policy}, 'its body')
                           : is($got->{body}, $want{$policy}, 'its body');
        unlike($got->{head}, qr/^Content-Encoding/mi, 'which has no coding');
    }
}

like(($up->calls)[-1]{head}, qr/^Accept-Encoding: identity\r$/m,
     'no coding is asked for');
is(() = ($up->calls)[-1]{head} =~ /^Accept-Encoding/mg, 1, 'and that once');


# -- what cannot be decoded, or is too large then

my $spaces = squeeze(\&gzip, $answer . ' ' x 50_000_000);
my $twice = squeeze(\&gzip, squeeze(\&gzip, ' ' x 100_000_000));

my @bad = (
    ['no gzip in it'     => $answer, 'gzip', 'coding'],
    ['a cut one'         => substr($gzip, 0, -20), 'gzip', 'not_json|coding'],
    ['a damaged one'     => $gzip =~ s/(.{40})..../$1XXXX/sr, 'gzip',
                            'coding|not_json'],
    ['an unknown coding' => $answer, 'aes128gcm', 'coding'],
    ['ten codings'       => $gzip, join(', ', ('gzip') x 10), 'coding'],
    ['a bomb'            => $spaces, 'gzip', 'too_large'],
    ['a bomb in a bomb'  => $twice, 'gzip, gzip', 'too_large'],
);

my $before = resident();

for my $case (@bad) {
    my ($name, $bytes, $coding, $reason) = @$case;
    my $from = length $nginx->log_from(0);

    $up->answer(coded($bytes, $coding));
    my $got = post($nginx->port, '/mask', $body);

    is($got->{status}, 502, "$name: 502");
    like($nginx->log_from($from), qr/\[error\] .*upstream .* \((?:$reason)\)/,
         "$name: $reason");
}

$up->answer(coded($spaces, 'gzip'));
post($nginx->port, '/mask', $body) for 1 .. 50;

cmp_ok(resident() - $before, '<', 4096, 'no memory is lost to bombs')
    or diag("$before kB before, " . resident() . ' kB after');


# -- an image that is fetched

$up->reset;
$images->answer(KTP::Upstream::response('200 OK', squeeze(\&gzip, $jpeg),
    'Content-Type: image/jpeg', 'Content-Encoding: gzip'));
is(post($nginx->port, '/fetch', '{"image":"' . $images->url . '/a"}')->{status},
   200, 'a coded image');
like(($images->calls)[-1]{head}, qr/^Accept-Encoding: identity\r$/m,
     'no coding is asked for');

$images->answer(KTP::Upstream::response('200 OK',
    squeeze(\&gzip, $jpeg . "\0" x 50_000_000),
    'Content-Type: image/jpeg', 'Content-Encoding: gzip'));
is(post($nginx->port, '/fetch', '{"image":"' . $images->url . '/a"}')->{status},
   400, 'a bomb in place of an image');

unlike($nginx->log_from(0), qr/\[(alert|crit|emerg)\]/, 'nothing alarming');
$nginx->stop;

done_testing();


sub coded {
    my ($bytes, $coding) = @_;

    return KTP::Upstream::response('200 OK', $bytes,
        'Content-Type: application/json',
        $coding ? "Content-Encoding: $coding" : ());
}


# Of all workers, in kB.
sub resident {
    my $sum = 0;

    for my $pid ($nginx->workers) {
        $sum += $1 if KTP::Nginx::read_file("/proc/$pid/status")
            =~ /^VmRSS:\s+(\d+)/m;
    }

    return $sum;
}
