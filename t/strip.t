# "ktp_strip_metadata": what of an image the upstream gets, each way in and in
# both ways of buffering.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Image;
use KTP::Upstream;
use Test::Nginx::Socket 'no_plan';

our $tiff = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6" . "\0" x 6;
our $turned = KTP::Image::segment(0xe1, "Exif\0\0$tiff");

# a large file, most of which is metadata behind the orientation
our $plain = jpeg(800, 600);
our $more = $turned . KTP::Image::segment(0xe1, 'http://ns.adobe.com/ SECRET')
          . KTP::Image::segment(0xfe, 'SECRET' x 10_000) x 3;
our $jpeg = $plain =~ s/^(..)/$1$more/sr;
our $sent = $plain =~ s/^(..)/$1$turned/sr;

our $png = png(800, 600);
our $texts = KTP::Image::chunk('tEXt', "Author\0SECRET")
           . KTP::Image::chunk('tIME', 'SECRET!');
our $png_more = $png =~ s/(?=....IDAT)/$texts/sr;

sub upstream_json { return json_body($_[0]) }

run_tests();

__DATA__

=== TEST 1: a file, buffered
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_strip_metadata on;
        add_header X-Image "$ktp_image_bytes";
    }
--- more_headers
Content-Type: image/jpeg
--- request eval: "POST /e\n${main::jpeg}SECRET"
--- response_headers eval: "X-Image: " . length $::sent
--- upstream_body eval: main::upstream_json($::sent)



=== TEST 2: JSON
--- more_headers
Content-Type: application/json
--- request eval: "POST /e\n" . main::json_body($::jpeg)
--- upstream_body eval: main::upstream_json($::sent)



=== TEST 3: a form
--- more_headers
Content-Type: multipart/form-data; boundary=ktp
--- request eval
"POST /e\n" . main::multipart(['image', $::jpeg, 'a.jpg', 'image/jpeg'])
--- upstream_body eval: main::upstream_json($::sent)



=== TEST 4: PNG
--- more_headers
Content-Type: image/png
--- request eval: "POST /e\n$main::png_more"
--- upstream_body eval: main::upstream_json($::png)



=== TEST 5: a file, streamed
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_request_buffering off;
        ktp_strip_metadata on;
        add_header X-Image "$ktp_image_bytes";
    }
--- more_headers
Content-Type: image/jpeg
--- request eval: "POST /e\n$main::jpeg"
--- upstream_head_like: ^Transfer-Encoding: chunked
--- response_body eval: $KTP::Upstream::Body
--- response_headers eval: "X-Image: " . length $::sent
--- upstream_calls: 1



=== TEST 6: limits are those of the file as it arrives
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_strip_metadata on;
        ktp_max_image_size 100k;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval: "POST /e\n$main::jpeg"
--- error_code: 400
--- response_body_like: INVALID_PAYLOAD_IMAGE_SIZE
--- upstream_calls: 0



=== TEST 7: off, nothing is removed
--- http_config
    ktp_strip_metadata on;
--- config
    location = /e {
        ktp_pass $TEST_NGINX_UPSTREAM/x;
        ktp_strip_metadata off;
    }
--- more_headers
Content-Type: image/jpeg
--- request eval: "POST /e\n$main::jpeg"
--- upstream_body eval: main::upstream_json($::jpeg)
