package KTP::Cases;

# The rows of the contract under Request and Errors, for each way in: what is
# sent, and what must come back.  One table for all framings.

use strict;
use warnings;

use KTP::Error;
use KTP::Image;

our $Uri = '/v2/ktp/extract';

my $Jpeg = jpeg(800, 600);
my $Png = png(800, 600);
my $Base64 = base64($Jpeg);

my $Json = 'application/json';
my $Multipart = 'multipart/form-data; boundary=ktp';

my $Max = 5 * 1024 * 1024;


# A JSON body with an image of base64 text.
sub image_text {
    my ($text, $more) = @_;

    return '{"image":"' . $text . '"' . ($more // '') . '}';
}


sub file_part {
    my ($image) = @_;

    return ['image', $image, 'a.jpg', 'image/jpeg'];
}


sub form { return multipart(file_part($Jpeg), @_) }

my $Truncated = substr $Jpeg, 0, length($Jpeg) - 2;
my $Pdf = "%PDF-1.7\n" . ("%\xe2\xe3\xcf\xd3 no image\n" x 100) . '%%EOF';
my $Gif = "GIF89a\x20\x03\x58\x02\x80\0\0" . ("\0" x 400) . ';';

# bytes after a NUL or in another encoding are no JSON
my $Bad_utf8 = '{"image":"' . $Base64 . '","x":"' . "\xc3\x28" . '"}';
my $Deep = image_text($Base64, ',"x":' . ('[' x 8) . (']' x 8));

# [row, status, error code and reason, way, body, query string]
my @Rows = (
    # -- accepted
    ['an image', 200, '', $Json, json_body($Jpeg)],
    ['a PNG', 200, '', $Json, json_body($Png)],
    ['an upright image', 200, '', $Json, json_body(jpeg(480, 720))],
    ['escaped slashes', 200, '', $Json,
     image_text($Base64 =~ s{/}{\\/}gr)],
    ['a data URL', 200, '', $Json,
     image_text("data:image/jpeg;base64,$Base64")],
    ['the URL-safe alphabet', 200, '', $Json,
     image_text($Base64 =~ tr{+/}{-_}r)],
    ['no padding', 200, '', $Json,
     image_text(base64(jpeg(800, 600, size => 10_000)) =~ s/=+$//r)],
    ['line breaks', 200, '', $Json,
     image_text($Base64 =~ s/(.{76})/$1\\r\\n/gr)],
    ['all members', 200, '', $Json,
     json_body($Jpeg, validate_quality => 'true', is_quality => 'true',
               reference_id => '"abc-1"')],
    ['unknown members', 200, '', $Json,
     json_body($Jpeg, x => '{"y":[1,null,"z"]}')],
    ['a reference_id of 64', 200, '', $Json,
     json_body($Jpeg, reference_id => '"' . 'r' x 64 . '"')],
    ['bytes after the end of the image', 200, '', $Json,
     json_body($Jpeg . "\0" x 100)],
    ['an image of just 5 MB', 200, '', $Json,
     json_body(jpeg(800, 600, size => $Max))],
    ['a type with parameters', 200, '', "$Json; charset=utf-8",
     json_body($Jpeg)],

    ['a file', 200, '', $Multipart, form()],
    ['a PNG', 200, '', $Multipart, multipart(file_part($Png))],
    ['a text part of base64', 200, '', $Multipart,
     multipart(['image', $Base64])],
    ['flags', 200, '', $Multipart,
     form(['validate_quality', 'true'], ['reference_id', 'abc'])],
    ['a quoted boundary', 200, '', 'multipart/form-data; boundary="ktp"',
     form()],

    ['a file', 200, '', 'image/jpeg', $Jpeg],
    ['a PNG', 200, '', 'image/png', $Png],
    ['a file of no type', 200, '', 'application/octet-stream', $Jpeg],
    ['flags', 200, '', 'image/jpeg', $Jpeg,
     'validate_quality=true&reference_id=abc'],

    # -- ordinary, though not as the contract's own clients send it
    ['members that are not set', 200, '', $Json,
     json_body($Jpeg, validate_quality => 'null', is_quality => 'null',
               reference_id => 'null')],
    ['a byte order mark', 200, '', $Json, "\xef\xbb\xbf" . json_body($Jpeg)],
    ['a data URL of no type', 200, '', $Json,
     image_text("data:;base64,$Base64")],
    ['a selfie of 200 KB', 200, '', $Json,
     json_body($Jpeg, selfie => '"' . 'A' x 200_000 . '"')],
    ['a film behind an image of 5 MB', 200, '', $Json,
     json_body(jpeg(800, 600, size => $Max) . 'mp4' x 300_000)],
    ['a selfie of 200 KB', 200, '', $Multipart,
     form(['selfie', 's' x 200_000, 's.jpg', 'image/jpeg'])],
    ['a checkbox', 200, '', $Multipart,
     form(['validate_quality', 'off'], ['is_quality', ''])],
    ['a film behind an image of 5 MB', 200, '', $Multipart,
     multipart(file_part(jpeg(800, 600, size => $Max) . 'mp4' x 300_000))],
    ['a film behind the image', 200, '', 'image/jpeg',
     $Jpeg . 'mp4' x 2_000_000],
    ['a film too long', 400, 'INVALID_PAYLOAD_IMAGE_SIZE trailer_too_long',
     'image/jpeg', $Jpeg . 'mp4!' x (2 * 1024 * 1024 + 1)],
    ['image/jpg', 200, '', 'image/jpg', $Jpeg],
    ['image/pjpeg', 200, '', 'image/pjpeg', $Jpeg],
    ['an HEIC', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT type_heic', 'image/jpeg',
     "\0\0\0\x18ftypheic" . "\0" x 1000],
    ['null', 400, 'MISSING_PAYLOAD_IMAGE image_null', $Json,
     '{"image":null}'],
    ['under another name', 400, 'MISSING_PAYLOAD_IMAGE image_missing',
     $Multipart, multipart(['file', $Jpeg x 4, 'a.jpg', 'image/jpeg'])],

    # -- image
    ['no image', 400, 'MISSING_PAYLOAD_IMAGE image_missing', $Json,
     '{"validate_quality":true}'],
    ['no image', 400, 'MISSING_PAYLOAD_IMAGE', $Multipart,
     multipart(['validate_quality', 'true'])],

    ['an empty image', 400, 'INVALID_PAYLOAD_IMAGE_MISSING', $Json,
     image_text('')],
    ['an empty image', 400, 'INVALID_PAYLOAD_IMAGE_MISSING', $Multipart,
     multipart(['image', ''])],
    ['neither base64 nor a URL', 400, 'INVALID_PAYLOAD_IMAGE_MISSING', $Json,
     image_text('no base64!')],
    ['a URL of another scheme', 400, 'INVALID_PAYLOAD_IMAGE_MISSING', $Json,
     image_text('ftp://localhost/a.jpg')],

    ['a PDF', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT type_pdf', $Json,
     json_body($Pdf)],
    ['a PDF', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT', $Multipart,
     multipart(file_part($Pdf))],
    ['a PDF', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT type_pdf', 'image/jpeg', $Pdf],
    ['a GIF', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT', $Json, json_body($Gif)],
    ['a GIF', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT type_gif', 'image/png', $Gif],
    ['a cut-off file', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT', $Json,
     json_body($Truncated)],
    ['a cut-off file', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT', $Multipart,
     multipart(file_part($Truncated))],
    ['a cut-off file', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT truncated',
     'image/jpeg',
     $Truncated],
    ['a cut-off PNG', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT', 'image/png',
     substr $Png, 0, length($Png) - 12],
    ['a URL, which is switched off', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT',
     $Json, image_text('https://localhost/a.jpg')],
    ['a URL, which is switched off', 400, 'INVALID_PAYLOAD_IMAGE_FORMAT',
     $Multipart, multipart(['image', 'https://localhost/a.jpg'])],

    ['an image over 5 MB', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', $Json,
     json_body(jpeg(800, 600, size => $Max + 1))],
    ['an image over 5 MB', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', $Multipart,
     multipart(file_part(jpeg(800, 600, size => $Max + 1)))],
    ['an image over 5 MB', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', 'image/jpeg',
     jpeg(800, 600, size => $Max + 1)],
    ['a small image', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', $Json,
     json_body(jpeg(719, 480))],
    ['a small image', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', $Multipart,
     multipart(file_part(jpeg(719, 480)))],
    ['a small image', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', 'image/jpeg',
     jpeg(720, 479)],
    ['a small PNG', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', 'image/png',
     png(720, 479)],
    ['an image of too many pixels', 400, 'INVALID_PAYLOAD_IMAGE_SIZE', $Json,
     json_body(jpeg(10000, 6000))],

    # -- flags
    ['an empty reference_id', 400, 'INVALID_PAYLOAD_REFERENCE_ID', $Json,
     json_body($Jpeg, reference_id => '""')],
    ['an empty reference_id', 400, 'INVALID_PAYLOAD_REFERENCE_ID',
     $Multipart, form(['reference_id', ''])],
    ['an empty reference_id', 400, 'INVALID_PAYLOAD_REFERENCE_ID',
     'image/jpeg', $Jpeg, 'reference_id='],
    ['a reference_id of 65', 400, 'INVALID_PAYLOAD_REFERENCE_ID', $Json,
     json_body($Jpeg, reference_id => '"' . 'r' x 65 . '"')],
    ['a reference_id of 65', 400, 'INVALID_PAYLOAD_REFERENCE_ID',
     $Multipart, form(['reference_id', 'r' x 65])],
    ['a reference_id of 65', 400, 'INVALID_PAYLOAD_REFERENCE_ID',
     'image/jpeg', $Jpeg, 'reference_id=' . 'r' x 65],

    ['quality that is not wanted', 400,
     'INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY', $Json,
     json_body($Jpeg, is_quality => 'false', validate_quality => 'true')],
    ['quality that is not wanted', 400,
     'INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY', $Multipart,
     form(['is_quality', 'false'], ['validate_quality', 'true'])],
    ['quality that is not wanted', 400,
     'INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY', 'image/jpeg', $Jpeg,
     'is_quality=false&validate_quality=true'],

    # -- any other bad body
    ['no body', 400, 'INVALID_PAYLOAD empty_body', $Json, ''],
    ['no JSON', 400, 'INVALID_PAYLOAD not_json', $Json, 'image=1'],
    ['a list', 400, 'INVALID_PAYLOAD not_object', $Json, '["image"]'],
    ['a wrong type of image', 400, 'INVALID_PAYLOAD image_not_string', $Json,
     '{"image":1}'],
    ['a wrong type of a flag', 400, 'INVALID_PAYLOAD bad_flag', $Json,
     json_body($Jpeg, validate_quality => '"true"')],
    ['a wrong type of reference_id', 400, 'INVALID_PAYLOAD', $Json,
     json_body($Jpeg, reference_id => '7')],
    ['a key twice', 400, 'INVALID_PAYLOAD two_images', $Json,
     image_text($Base64, ",\"image\":\"$Base64\"")],
    ['a key twice, once in escapes', 400, 'INVALID_PAYLOAD', $Json,
     image_text($Base64, ",\"im\\u0061ge\":\"$Base64\"")],
    ['bytes after the end', 400, 'INVALID_PAYLOAD', $Json,
     json_body($Jpeg) . '{}'],
    ['a cut-off body', 400, 'INVALID_PAYLOAD', $Json,
     substr json_body($Jpeg), 0, 1000],
    ['a comment', 400, 'INVALID_PAYLOAD', $Json,
     '/* */' . json_body($Jpeg)],
    ['invalid UTF-8', 400, 'INVALID_PAYLOAD', $Json, $Bad_utf8],
    ['a depth of 9', 400, 'INVALID_PAYLOAD too_deep', $Json, $Deep],
    ['more than one empty value', 400, 'INVALID_PAYLOAD', $Json,
     image_text('', ',"reference_id":""')],

    ['a wrong flag', 400, 'INVALID_PAYLOAD', $Multipart,
     form(['validate_quality', 'maybe'])],
    ['a part twice', 400, 'INVALID_PAYLOAD two_images', $Multipart,
     form(file_part($Jpeg))],
    ['no end', 400, 'INVALID_PAYLOAD', $Multipart,
     form() =~ s/--ktp--\r\n\z//r],
    ['no boundary in the type', 400, 'INVALID_PAYLOAD no_boundary',
     'multipart/form-data', form()],
    ['no part at all', 400, 'INVALID_PAYLOAD', $Multipart, 'no part'],
    ['a wrong flag', 400, 'INVALID_PAYLOAD', 'image/jpeg', $Jpeg,
     'validate_quality=maybe'],

    ['another type', 415, 'UNSUPPORTED_MEDIA_TYPE', 'text/plain',
     json_body($Jpeg)],
);

my %Ways = (
    $Json => 'JSON', $Multipart => 'multipart', 'image/jpeg' => 'bare JPEG',
    'image/png' => 'bare PNG',
);


sub count { return scalar @Rows }


# A row as a hash.
sub row {
    my ($n) = @_;

    my %row;
    @row{qw(name status code type body args)} = @{ $Rows[$n] };

    ($row{code}, $row{reason}) = split ' ', $row{code};
    $row{code} //= '';

    $row{name} = ($Ways{ $row{type} } // $row{type}) . ": $row{name}";
    $row{uri} = $Uri . (defined $row{args} ? "?$row{args}" : '');

    return \%row;
}


# What is like the body of the answer to a row.
sub answer_like {
    my ($row) = @_;

    return qr/^\{"message":"ok","status_code":"V-1","data":\{/
        if $row->{status} == 200;

    return KTP::Error::like($row->{code}, $row->{reason});
}


# -- in Test::Nginx format

# The text of all blocks; framing is "length" or "chunked".
sub spec {
    my ($framing, $config) = @_;

    my @blocks = map {
        my $row = row($_);
        my $calls = $row->{status} == 200 ? 1 : 0;
        my $first = $_ == 0 ? $config : '';
        my $n = $_ + 1;

        <<EOS;
=== TEST $n: $row->{name}
$first--- more_headers eval: KTP::Cases::headers($_, '$framing')
--- request eval: KTP::Cases::request($_, '$framing')
--- error_code: $row->{status}
--- response_headers
Content-Type: application/json
--- response_body_like eval: KTP::Cases::answer_like(KTP::Cases::row($_))
--- upstream_calls: $calls

EOS
    } 0 .. $#Rows;

    return join '', @blocks;
}


sub headers {
    my ($n, $framing) = @_;

    my $row = row($n);
    my $head = "Content-Type: $row->{type}\n";

    return $framing eq 'chunked' ? $head . "Transfer-Encoding: chunked\n"
                                 : $head;
}


sub request {
    my ($n, $framing) = @_;

    my $row = row($n);
    my $body = $row->{body};

    # a size that cuts neither base64 nor lines evenly
    $body = chunked($body, length $body > 100_000 ? 50_021 : 777)
        if $framing eq 'chunked';

    return "POST $row->{uri}\n$body";
}


1;
