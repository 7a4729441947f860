package KTP::Image;

# Small and valid image files of given dimensions, and the request bodies
# that carry them.

use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use Exporter qw(import);
use MIME::Base64 qw(encode_base64);

our @EXPORT = qw(jpeg png base64 json_body multipart chunked);


# A grey baseline JPEG.  Its two Huffman tables have one code each, a single
# 0 bit, for "no difference" and "end of block": a block is two 0 bits.
# size => N pads the file with comments to N bytes.  scans => N makes it a
# progressive one of N scans, of which all but the first have no data.
sub jpeg {
    my ($width, $height, %opt) = @_;

    my $blocks = int(($width + 7) / 8) * int(($height + 7) / 8);
    my $more = $opt{scans} ? $opt{scans} - 1 : 0;
    my $bits = '0' x ($blocks * ($opt{scans} ? 1 : 2));

    $bits .= '1' x (-length($bits) % 8);

    my $head = "\xff\xd8"
             . segment(0xe0, "JFIF\0" . pack 'CCCnnCC', 1, 1, 0, 1, 1, 0, 0);
    my $tail = segment(0xdb, "\0" . "\1" x 64)
             . segment($opt{sof} || ($opt{scans} ? 0xc2 : 0xc0),
                       pack 'CnnCCCC', 8, $height, $width, 1, 1, 0x11, 0)
             . segment(0xc4, pack 'C*', 0x00, 1, (0) x 15, 0)
             . segment(0xc4, pack 'C*', 0x10, 1, (0) x 15, 0)
             . segment(0xda, pack 'C*', 1, 1, 0, 0, $opt{scans} ? 0 : 63, 0)
             . pack('B*', $bits)
             . segment(0xda, pack 'C*', 1, 1, 0, 1, 63, 0) x $more
             . "\xff\xd9";

    my $missing = ($opt{size} || 0) - length($head) - length($tail);
    my $padding = '';

    while ($missing > 0) {
        my $n = $missing > 65000 ? 60000 : $missing;

        # a comment takes four bytes at least
        die "jpeg: cannot pad $n bytes\n" if $n < 4;
        $padding .= segment(0xfe, '.' x ($n - 4));
        $missing -= $n;
    }

    return $head . $padding . $tail;
}


sub segment {
    my ($marker, $data) = @_;

    return pack('CCn', 0xff, $marker, length($data) + 2) . $data;
}


# A JPEG file that shows its picture mirrored, by the orientation of Exif.
sub mirrored {
    my ($jpeg) = @_;
    my $tiff = pack('A2nNn', 'MM', 42, 8, 1)
             . pack('nnNnnN', 0x0112, 3, 1, 2, 0, 0);

    return substr($jpeg, 0, 2) . segment(0xe1, "Exif\0\0$tiff")
         . substr($jpeg, 2);
}


# A grey 8-bit PNG; size as above, at least 12 bytes more than without.
# rows => a string holds its rows, each after a filter's byte; else all black.
# type => [BITS, COLOUR TYPE] is that of its header in place of [8, 0].
sub png {
    my ($width, $height, %opt) = @_;

    my $head = "\x89PNG\r\n\x1a\n"
             . chunk('IHDR', pack 'NNCCCCC', $width, $height,
                     @{ $opt{type} || [8, 0] }, 0, 0, 0);
    my $tail = chunk('IDAT', compress($opt{rows}
                                    || ("\0" x ($width + 1)) x $height))
             . chunk('IEND', '');

    my $missing = ($opt{size} || 0) - length($head) - length($tail);
    my $padding = $missing >= 12 ? chunk('teSt', '.' x ($missing - 12)) : '';

    return $head . $padding . $tail;
}


sub chunk {
    my ($type, $data) = @_;

    return pack('N', length $data) . $type . $data
         . pack('N', crc32($type . $data));
}


sub base64 { return encode_base64($_[0], '') }


# {"image": ...} with further members as JSON text: json_body($jpeg,
# validate_quality => 'true').
sub json_body {
    my ($image, @more) = @_;

    my @members = defined $image ? '"image":"' . base64($image) . '"' : ();

    while (my ($name, $value) = splice @more, 0, 2) {
        push @members, "\"$name\":$value";
    }

    return '{' . join(',', @members) . '}';
}


# A multipart/form-data body with the boundary "ktp".  A part is [name,
# content], or [name, content, filename, type].
sub multipart {
    my @parts = @_;
    my $body = '';

    for my $part (@parts) {
        my ($name, $content, $file, $type) = @$part;

        $body .= "--ktp\r\nContent-Disposition: form-data; name=\"$name\"";
        $body .= "; filename=\"$file\"" if defined $file;
        $body .= "\r\n";
        $body .= "Content-Type: $type\r\n" if defined $type;
        $body .= "\r\n$content\r\n";
    }

    return "$body--ktp--\r\n";
}


# A body in the chunked coding, in chunks of a size.
sub chunked {
    my ($body, $size) = @_;

    my $out = '';

    while (length $body) {
        my $piece = substr $body, 0, $size || 4000, '';

        $out .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }

    return "${out}0\r\n\r\n";
}


1;
