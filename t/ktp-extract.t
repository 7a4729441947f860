# ktp-extract: exit codes and messages for single files.

use strict;
use warnings;

use Compress::Zlib qw(uncompress);
use FindBin qw($Bin);
use JSON::PP;
use Test::More;
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = KTP::Nginx::build_dir() . '/ktp-extract';
my $dir = KTP::Nginx::scratch_dir();
my ($card) = KTP::Specimen::draw(1);
my ($page) = KTP::Specimen::draw(1, '--page', '--size', '800x560');

KTP::Nginx::write_file("$dir/card.jpg", $card);
KTP::Nginx::write_file("$dir/page.jpg", $page);
KTP::Nginx::write_file("$dir/text.jpg", 'no image');

# a burnt-out spot on the number, so that Tesseract reads it, too
my ($glare) = KTP::Specimen::draw(1, '--glare', 0.12, '--glare-x', 0.5,
                                  '--glare-y', 0.25);
KTP::Nginx::write_file("$dir/glare.jpg", $glare);

for my $case (
    [0, 'a card', 'card.jpg'],
    [0, 'two', 'card.jpg card.jpg'],
    [1, 'a page', 'page.jpg'],
    [1, 'no image', 'text.jpg'],
    [1, 'no file', 'nofile.jpg'],
    [1, 'a folder', '.'],
    [1, 'a card and a page', 'card.jpg page.jpg'],
    [1, 'a page and a card', 'page.jpg card.jpg'],
    [0, 'a card, and a picture of it', '--annotate=out.png card.jpg'],
    [1, 'a picture that cannot be written',
     '--annotate=nofolder/out.png card.jpg'],
    [2, 'one picture of two', '--annotate=out.png card.jpg card.jpg'],
    [0, 'a card that is read twice', '--bench=2 card.jpg'],
    [1, 'a page that is read twice', '--bench=2 page.jpg'],
    [2, 'readings that are no number', '--bench=two card.jpg'],
    [2, 'readings that are not only one', '--bench=2x card.jpg'],
    [2, 'no readings', '--bench=0 card.jpg'],
    [2, 'nothing', ''],
    [2, 'an unknown option', '--unknown card.jpg'],
    [2, 'no language data', '--tessdata=nofolder card.jpg'],
) {
    my ($code, $name, $args) = @$case;

    is(run("$args > out"), $code, "$name: exit code $code");
}

is(run('card.jpg > /dev/full'), 1, 'an answer that cannot be written: 1');
is(run('- < card.jpg > out'), 0, 'a card on standard input: 0');
like(KTP::Nginx::read_file("$dir/out"), qr/"nik": "\d{16}"/, 'and its fields');

is(run('nofile.jpg card.jpg > out'), 1, 'one of two files is not there: 1');
like(KTP::Nginx::read_file("$dir/out"), qr/"nik": "\d{16}"/,
     'the other is read');
like(KTP::Nginx::read_file("$dir/err"), qr/^nofile\.jpg: /, 'and it is named');

# Tesseract's own folder is looked for by this when --tessdata is not given;
# its data are loaded by a number that is not clear, and by nothing else

for my $case (
    [0, 'a clear card', 'card.jpg'],
    [1, 'no image', 'text.jpg'],
    [1, 'no card', 'page.jpg'],
) {
    my ($code, $name, $file) = @$case;

    is(run("$file > out", 'nofolder'), $code, "$name, with no data: $code");
    is(KTP::Nginx::read_file("$dir/err"), '', 'nothing was loaded');
}

is(run('glare.jpg > out'), 0, 'an unclear number');
is(KTP::Nginx::read_file("$dir/err"), '', 'Tesseract says nothing');
is(run('glare.jpg > out', 'nofolder'), 1, 'an unclear number, with no data: 1');
like(KTP::Nginx::read_file("$dir/out"), qr/"INTERNAL_SERVER_ERROR"/,
     'it is an error');
like(KTP::Nginx::read_file("$dir/err"), qr/^Tesseract's .* cannot be loaded\n\z/,
     'with one message');

mkdir "$dir/bad";
KTP::Nginx::write_file("$dir/bad/eng.traineddata", 'no data');
is(run('--tessdata=bad glare.jpg > out'), 1, 'with damaged data: 1');
like(KTP::Nginx::read_file("$dir/err"), qr/^Tesseract's .* cannot be loaded\n\z/,
     'with one message');
is(run('--annotate=nofolder/out.png card.jpg > out'), 1, 'no place for a picture');
is(KTP::Nginx::read_file("$dir/err"), "nofolder/out.png: cannot be written\n",
   'one message');

# the picture: its type is that of its name

for my $type (['out.png', "\x89PNG"], ['out.jpeg', "\xff\xd8\xff"],
              ['out.JPG', "\xff\xd8\xff"], ['out', "\x89PNG"]) {
    my ($name, $begin) = @$type;

    is(run("--annotate=$name card.jpg > out.json"), 0, "a picture: $name");
    is(substr(KTP::Nginx::read_file("$dir/$name"), 0, length $begin), $begin,
       'is of the type of its name');
}
is(run('glare.jpg card.jpg > out', 'nofolder'), 1, 'and a clear one: 1');
like(KTP::Nginx::read_file("$dir/out"), qr/"nik": "\d{16}"/,
     'the clear one is read');

# a frame around a field, off its letters, and its label on paper behind it

my ($little) = KTP::Specimen::draw(1, '--size', '800x600');
KTP::Nginx::write_file("$dir/little.jpg", $little);
is(run('--details --annotate=little.png little.jpg > out'), 0, 'a small picture');

my @rows = pixels(KTP::Nginx::read_file("$dir/little.png"));
my $box = JSON::PP->new->decode(KTP::Nginx::read_file("$dir/out"))
              ->{data}{details}{district}{box};
my ($x, $y, $w, $h) = @$box;
my $green = chr(0) . chr(160) . chr(0);

is(count($green, $y - 8 .. $y - 4, $x, $w) >= $w, 1, 'a frame above the letters');
is(count($green, $y + 1 .. $y + $h - 1, $x + 2, $w - 4), 0, 'none across them');
cmp_ok(count($green, $y - 6 .. $y + $h, $x + $w + 12, 60), '>', 40, 'a label');
cmp_ok(count("\xff" x 3, $y - 6 .. $y + $h, $x + $w + 12, 60), '>', 200,
       'on paper');

# what confidences were taken from is for ktp-evaluate alone

for my $case (['--details', 0], ['--scores', 1]) {
    my ($option, $scores) = @$case;

    is(run("$option card.jpg > out"), 0, $option);
    my $details = JSON::PP->new->decode(KTP::Nginx::read_file("$dir/out"))
                      ->{data}{details};
    is(scalar(grep { defined $_->{score} && defined $_->{confirmed} }
              values %$details), $scores ? 19 : 0,
       $scores ? 'has scores' : 'has none');
    is(scalar(grep { $_->{confidence} >= .95 } values %$details), 19,
       'and the confidences of a clear card');
}

# a file that is no picture, or no whole one, is named; nothing else is said

my %foreign = (
    type_heic => "\0\0\0\x18ftypheic\0\0\0\0", type_webp => "RIFF\0\0\0\0WEBPVP8 ",
    type_pdf => "%PDF-1.7\n", type_gif => 'GIF89a', type_unknown => 'no image',
    empty_body => '', truncated => substr($card, 0, 400),
);

for my $reason (sort keys %foreign) {
    KTP::Nginx::write_file("$dir/foreign.jpg", $foreign{$reason});
    is(run('foreign.jpg > out'), 1, "$reason: 1");
    like(KTP::Nginx::read_file("$dir/out"), qr/"reason":"$reason"/,
         'it is named');
    is(KTP::Nginx::read_file("$dir/err"), '', 'no other message');
}

# the limits of the contract

my ($small) = KTP::Specimen::draw(1, '--size', '719x540');
my $cut = substr($card, 0, -1000);
my $long = $card . "\0" x (8 * 1024 * 1024 + 1);
my $large = substr($card, 0, 2)
          . ("\xff\xfe\xff\xff" . "\0" x 65533) x 80 . substr($card, 2);

for my $case (
    ['too few pixels', 'too_few_pixels', $small],
    ['an incomplete file', 'truncated', $cut],
    ['too many bytes', 'too_many_bytes', $large],
    ['too many behind the image', 'trailer_too_long', $long],
    ['a card', undef, $card],
) {
    my ($name, $reason, $file) = @$case;

    KTP::Nginx::write_file("$dir/limit.jpg", $file);
    is(run('limit.jpg > out'), 0, "$name: read");
    is(run('--contract limit.jpg > out'), $reason ? 1 : 0,
       $reason ? 'but not with --contract' : 'with --contract, too');
    like(KTP::Nginx::read_file("$dir/out"),
         $reason ? qr/"error_code":"INVALID_PAYLOAD_IMAGE_\w+","reason":"$reason"/
                 : qr/"nik": "\d{16}"/, 'and the answer says so');
}

done_testing;


# Rows of pixels, three bytes each, of a PNG file of such pixels.
sub pixels {
    my ($png) = @_;
    my ($data, @lines) = ('');
    my ($columns) = unpack 'x16 N', $png;

    for (my $at = 8; $at < length $png; ) {
        my ($len, $type) = unpack 'N a4', substr $png, $at, 8;
        $data .= substr $png, $at + 8, $len if $type eq 'IDAT';
        $at += 12 + $len;
    }

    my @above = (0) x (3 * $columns + 3);

    for my $line (unpack '(a' . (3 * $columns + 1) . ')*', uncompress($data)) {
        my ($filter, @bytes) = unpack 'C*', $line;
        my @row = (0, 0, 0);

        for my $i (3 .. $#bytes + 3) {
            my ($left, $up, $corner) = ($row[$i - 3], $above[$i], $above[$i - 3]);
            my $guess = $left + $up - $corner;
            my ($p, $q, $r) = map { abs($guess - $_) } $left, $up, $corner;

            push @row, 255 & $bytes[$i - 3]
                + ($filter == 0   ? 0
                   : $filter == 1 ? $left
                   : $filter == 2 ? $up
                   : $filter == 3 ? int(($left + $up) / 2)
                   : $p <= $q && $p <= $r ? $left
                   : $q <= $r             ? $up
                   :                        $corner);
        }

        @above = @row;
        push @lines, pack 'C*', @row[3 .. $#row];
    }

    return @lines;
}


# Pixels of a colour in some rows, from a column on.
sub count {
    my ($color, @where) = @_;
    my $columns = pop @where;
    my $left = pop @where;

    return scalar map {
        grep { $_ eq $color } unpack '(a3)*', substr $rows[$_], 3 * $left,
                                                     3 * $columns
    } @where;
}


# Its exit code, with these arguments of the shell, in the scratch folder; and
# with Tesseract's folder, if one is given.
sub run {
    my ($args, $tessdata) = @_;

    local $ENV{TESSDATA_PREFIX} = $tessdata if defined $tessdata;
    my $status = system "cd '$dir' && '$program' $args 2> err";

    return $status & 127 ? "signal $status" : $status >> 8;
}
