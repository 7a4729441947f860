# "ktp_strip_metadata on": Exif, comments, texts and what is behind the picture
# do not reach the upstream, however the image arrives and with both ways of
# buffering; the picture itself is sent byte for byte, with its orientation, and
# $ktp_image_bytes is its size.  Limits are those of the file as it arrives.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $secret = 'SECRET-PLACE';
my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;

ok($nginx->start($nginx->config(
    main => KTP::load_module(),
    server => <<"EOC",
        ktp_strip_metadata on;
        add_header X-Image "\$ktp_image_bytes";
        location = /whole { ktp_pass $url/v2; }
        location = /stream { ktp_pass $url/v2; ktp_request_buffering off; }
        location = /limit { ktp_pass $url/v2; ktp_max_image_size 100k; }
        location = /kept { ktp_pass $url/v2; ktp_strip_metadata off; }
EOC
    )), 'nginx starts') or BAIL_OUT($nginx->complaint);


# TIFF of one directory: the maker with the secret and, if any, an orientation
sub exif {
    my ($orientation) = @_;

    my @entries = (pack 'nnNN', 0x010f, 2, length $secret, 64);
    push @entries, pack 'nnNnn', 0x0112, 3, 1, $orientation, 0 if $orientation;

    my $tiff = 'MM' . pack('nN', 42, 8) . pack('n', scalar @entries)
             . join('', @entries) . pack 'N', 0;

    return "Exif\0\0" . $tiff . "\0" x (64 - length $tiff) . $secret;
}


# a picture, the same with metadata, what is kept of these
my $jpeg = jpeg(800, 600);
my $png = png(800, 600);
my ($soi, $jpeg_rest) = unpack 'a2a*', $jpeg;
my ($ihdr, $png_rest) = unpack 'a33a*', $png;

sub marked_jpeg {
    my ($orientation) = @_;

    return $soi . KTP::Image::segment(0xe1, exif($orientation))
         . KTP::Image::segment(0xed, "Photoshop 3.0\0$secret")
         . KTP::Image::segment(0xfe, $secret) . $jpeg_rest . "film $secret";
}

my $marked_png = $ihdr . KTP::Image::chunk('tEXt', "Comment\0$secret")
               . KTP::Image::chunk('tIME', pack 'nC5', 2026, 1, 2, 3, 4, 5)
               . $png_rest;

# the orientation alone is left of the metadata
sub is_turned {
    my ($image) = @_;

    my $kept = substr $image, 2, length($image) - length $jpeg;

    return $image eq $soi . $kept . $jpeg_rest
        && $kept =~ /^\xff\xe1..Exif\0\0/s
        && index($kept, pack 'nnNn', 0x0112, 3, 1, 6) > 0;
}

my $large = marked_jpeg(6);
my $comments = KTP::Image::segment(0xfe, $secret x 5000) x 3;

$large =~ s/^(..)/$1$comments/s;

my @pictures = (
    ['JPEG', marked_jpeg(0), sub { $_[0] eq $jpeg }],
    ['JPEG, turned', marked_jpeg(6), \&is_turned],
    ['JPEG, large', $large, \&is_turned],
    ['PNG', $marked_png, sub { $_[0] eq $png }],
);

my @ways = (
    ['a bare file', sub { $_[0] }, 'application/octet-stream'],
    ['JSON', sub { json_body($_[0]) }, 'application/json'],
    ['a form', sub { multipart(['image', $_[0], 'a', 'image/jpeg']) },
     'multipart/form-data; boundary=ktp'],
);

for my $picture (@pictures) {
    my ($kind, $file, $is_right) = @$picture;

    for my $way (@ways) {
        my ($how, $body, $type) = @$way;

        for my $uri (qw(/whole /stream)) {
            my ($sent, $head, $size) = sent($uri, $body->($file), $type);
            my $name = "$kind in $how to $uri";

            is(index($sent, $secret), -1, "$name: nothing of the metadata");
            ok($is_right->($sent), "$name: the picture as it is");
            is($size, length $sent, "$name: its size");
            like($head, $uri eq '/stream' ? qr/^Transfer-Encoding: chunked/m
                                          : qr/^Content-Length: /m,
                 "$name: framing");
        }
    }

    my ($kept) = sent('/kept', $file, 'application/octet-stream');

    cmp_ok(index($kept, $secret), '>', 0, "$kind: kept where it is off");
}

$up->reset;

my $answer = post($nginx->port, '/limit', $large, 'Content-Type: image/jpeg');

is($answer->{status}, 400, 'the limit is that of the file as it arrives');
like($answer->{body}, qr/"reason":"too_many_bytes"/, 'with its reason');
is(scalar $up->calls, 0, 'and no call');

$nginx->stop;
done_testing();


# the image that the upstream gets for a request, the head of the call, and
# $ktp_image_bytes
sub sent {
    my ($uri, $body, $type) = @_;

    $up->reset;
    $up->answer(KTP::Upstream::response(200, '{"message":"ok"}'));

    my $answer = post($nginx->port, $uri, $body, "Content-Type: $type");
    my ($call) = $up->calls;

    is($answer->{status}, 200, "$uri is answered")
        or diag($answer->{body} // '');

    # the image may be sent in chunks
    my $json = $call->{body} // '';
    $json =~ s/(?:^|\r\n)[0-9a-f]+\r\n//g
        if $call->{head} =~ /^Transfer-Encoding/m;

    my ($image) = $json =~ /"image":"([^"]*)"/;
    my ($size) = ($answer->{head} // '')
        =~ /^X-Image: (\d+)/m;

    return (decode_base64($image // ''), $call->{head}, $size // 0);
}
