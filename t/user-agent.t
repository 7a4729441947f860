# The User-Agent of the call and of an image's download, by ktp_user_agent.

use strict;
use warnings;

use lib 't/lib';
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
my ($version) = KTP::Nginx::read_file('CHANGES') =~ /ngx_http_ktp (\d\S+)/;

ok($nginx->start($nginx->config(
    main   => KTP::load_module(),
    server => <<"EOC")), 'nginx starts') or diag($nginx->complaint);
        ktp_image_url fetch;
        ktp_image_url_allow 127.0.0.0/8;
        location /default { ktp_pass $url/v2; }
        location /own { ktp_pass $url/v2; ktp_user_agent "shop/7 (a b)"; }
        location /off { ktp_pass $url/v2; ktp_user_agent off; }
EOC

$images->answer(KTP::Upstream::response('200 OK', $jpeg,
                                        'Content-Type: image/jpeg'));

for my $case (['default', "ngx_http_ktp/$version"], ['own', 'shop/7 (a b)'],
              ['off', undef], ['default', "ngx_http_ktp/$version"]) {
    my ($uri, $want) = @$case;

    $up->reset;

    is(post($nginx->port, "/$uri", '{"image":"' . $images->url . '/a"}',
            'User-Agent: client')->{status}, 200, "$uri: 200");

    for my $call (($up->calls)[-1], ($images->calls)[-1]) {
        my ($found) = $call->{head} =~ /^User-Agent: (.*)\r$/m;
        my ($method) = $call->{head} =~ /^(\w+)/;

        is($found, $want, "$uri: $method");
    }
}

$nginx->stop;

my $changelog = KTP::Nginx::read_file('debian/changelog');
like($changelog, qr/^ngx-http-ktp \(\Q$version\E[-)]/,
     'the version is that of the package');

for my $bad ('""', qq("a\x7fb"), '"a$uri"', '"caf' . "\xc3\xa9" . '"') {
    my $other = KTP::Nginx->new;

    ok(!$other->start($other->config(main => KTP::load_module(),
                                     server => "ktp_user_agent $bad;")),
       "$bad is refused");
    like($other->complaint, qr/in "ktp_user_agent" directive, it must be "off"/,
         'the message tells what is allowed');
}

done_testing();
