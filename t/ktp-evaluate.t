# ktp-evaluate: what it counts, and that it prints no value and no name.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin qw($Bin);
use JSON::PP;
use Test::More;
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = abs_path("$Bin/../scripts/ktp-evaluate");
my $extract = abs_path(KTP::Nginx::build_dir() . '/ktp-extract');
my $dir = KTP::Nginx::scratch_dir();
my $json = JSON::PP->new->utf8->canonical;

# photos of known cards, of a page and of another type, by names that are
# nobody's business

mkdir "$dir/$_" for 'd', 'd/sub';

my @names = ('NAMA RAHASIA.jpg', "sub/sandi \xc3\xa9.jpg", 'page.jpg', 'foreign.webp');
my ($page) = KTP::Specimen::draw(1, '--page', '--size', '800x560');
my @truth;

for my $i (0, 1) {
    my ($card, $truth) = KTP::Specimen::draw(7 + $i);
    write_file("d/$names[$i]", $card);
    $truth[$i] = $truth;
}

write_file('d/page.jpg', $page);
write_file('d/foreign.webp', "RIFF\0\0\0\0WEBPVP8 ");
write_file('d/notes.txt', 'no photo');

my @fields = qw(nik full_name date_of_birth blood_type address);
my %page = (file => 'page.jpg', map { $_ => 'TIDAK ADA' } @fields);
$page{nik} = '3273991107540006';

my $before = listing();

is(run("-e '$extract' -j 2 --truth=truth.csv d", csv(',',
    [file => @fields, 'remark'],
    (map { my $i = $_; [$names[$i], @{ $truth[$i] }{@fields}, 'CATATAN'] } 0, 1),
    [@page{'file', @fields}, ''], ['nofile.jpg', @page{@fields}, ''])),
   0, 'CSV: 0');
like(out(), qr/^photos 4: no truth 1, card read 2, not detected 1, rejected 0, failed 0$/m,
     'photos are counted');
like(out(), qr/^truth without a photo: 1$/m, 'and truth');
like(out(), qr/^nik +3 +66\.7 % +0\.0 % +33\.3 % +0 /m, 'and fields');
unlike(out(), qr/^gender|remark/m, 'others are not');
quiet('CSV');

# other separators, line ends and dates; truth that cannot be compared; one
# value that differs

my $birth = $truth[0]{date_of_birth};
my ($day, $month, $year) = split /-/, $birth;

for my $case (
    ['semicolons', ';', "$day/$month/$year"], ['tabs', "\t", "$year-$month-$day"],
) {
    my ($name, $comma, $date) = @$case;
    my $text = "\xef\xbb\xbf" . csv($comma, ['File ', ' NIK', 'full_name',
                                             'date_of_birth', 'address'],
        ['NAMA RAHASIA.jpg', '3,27E+15', lc "  $truth[0]{full_name} ", $date, ''],
        ["sandi \xc3\xa9.jpg", $truth[1]{nik}, 'S***', $truth[1]{date_of_birth},
         qq{ORANG\nLAIN "SATU"}]) =~ s/\n/\r\n/gr;

    is(run("-e '$extract' --truth=truth.csv d", $text), 0, "$name: 0");
    like(out(), qr/^nik +1 +100\.0 % +0\.0 % +0\.0 % +1 /m, 'a spoilt number');
    like(out(), qr/^full_name +1 +100\.0 % .* 1 /m, 'a masked name');
    like(out(), qr/^date_of_birth +2 +100\.0 % /m, 'a date');
    like(out(), qr/^address +1 +0\.0 % +100\.0 % +0\.0 % +1 /m, 'a wrong value');
    quiet($name);
}

# answers of the vendor

is(run("-e '$extract' --truth=truth.csv d", join '',
       map { $json->encode({ file => characters($names[$_]), status_code => 'X',
                             data => $truth[$_] }) . "\n" } 0, 1),
   0, 'JSON lines: 0');
like(out(), qr/^nik +2 +100\.0 % /m, 'are compared');
quiet('JSON lines');

# truth beside the photos

write_file("d/$names[$_]" =~ s/jpg$/json/r,
           $json->encode({ truth => $truth[$_] })) for 0, 1;
write_file('d/page.json', '{"truth": [] RAHASIA');
$before = listing();

is(run("-e '$extract' d"), 0, 'files beside the photos: 0');
like(out(), qr/^photos 4: no truth 2, card read 2/m, 'are counted');
like(out(), qr/^nik +2 +100\.0 % /m, 'and compared');
quiet('files beside the photos');

is(listing(), $before, 'no file was written');

# a folder whose name is not ASCII

mkdir "$dir/\xc3\xa9";
write_file("\xc3\xa9/x.jpg", KTP::Nginx::read_file("$dir/d/$names[0]"));
write_file("\xc3\xa9/x.json", $json->encode({ truth => $truth[0] }));
is(run("-e '$extract' \xc3\xa9"), 0, 'a folder with another name: 0');
like(out(), qr/^photos 1: no truth 0/m, 'and its truth');

# numbers, of answers that are made up: confidence, equal or not

write_file('fake', <<'END');
#!/usr/bin/perl
open my $in, '<', 'answers';
print <$in>;
END
chmod 0755, "$dir/fake";

fake((map { [.97, 1] } 1 .. 995), (map { [.97, 0] } 1 .. 5),
     (map { [.6, 1] } 1 .. 50), (map { [.6, 0] } 1 .. 50), map { [] } 1 .. 100);

like(out(), qr/^nik +1200 +87\.1 % +4\.6 % +8\.3 % +0 +3\.2 % +0\.0 % +83\.3 %$/m,
     'error and coverage');
like(out(), qr/^other values with a confidence over 0\.9: 5, 0\.42 % of all$/m,
     'wrong and sure');
like(out(), qr/^values with a confidence over 0\.95: 1000, of them other: 0\.50 %$/m,
     'sure ones');
like(out(), qr/^0\.50 - 0\.70 +100 +60\.0 % +50\.0 %\n0\.95 - 0\.99 +1000 +97\.0 % +99\.5 %$/m,
     'bins');

# tables of confidence: of each field, and of what nothing confirms

fake((map { [$_ % 2 ? .2 : .9, $_ % 2 ? $_ % 4 == 1 : 1] } 1 .. 400),
     (map { [.5, 1, 0] } 1 .. 30), map { [.8, 0, 0] } 1 .. 10);
run('-e ./fake --table d');
like(out(), qr/^\{KTPR_NIK, 1, 0\.200f, 0\.200f, 0\.499f\}, \/\* 200 \*\/
\{KTPR_NIK, 1, 0\.900f, 0\.900f, 0\.996f\}, \/\* 200 \*\/
\{KTPR_ALL_FIELDS, 0, 0\.500f, 0\.800f, 0\.738f\}, \/\* 40 \*\/$/m,
     'a table does not fall, and is not sure of what few values tell');

fake((map { [.8, 1] } 1 .. 97), (map { [.8, 0] } 1 .. 3),
     (map { [.9, 1] } 1 .. 98), map { [.9, 0] } 1 .. 2);
run('-e ./fake --table d');
like(out(), qr/^\{KTPR_NIK, 1, 0\.800f, 0\.900f, 0\.950f\}, \/\* 200 \*\/$/m,
     'over 0.95 is only what is right nearly always');

# hostile files: an error without their contents, or none

my $secret = 'RAHASIA BESAR';
my $long = 'file,nik' . ",$secret" x 50_000;

for my $case (
    [2, 'nothing', ''],
    [2, 'no names', "a.jpg,$secret\nb.jpg,$secret\n"],
    [2, 'names only', "file,nik\n"],
    [2, 'an open quote', qq{file,nik\na.jpg,"$secret\n}],
    [2, 'a quote within', qq{file,nik\na.jpg,$secret" x\n}],
    [2, 'text behind a quote', qq{file,nik\na.jpg,"x"$secret\n}],
    [2, 'too many columns', "file,nik\na.jpg,1,$secret\n"],
    [2, 'too few', "file,nik\n$secret\n"],
    [2, 'no JSON', qq({"file": "$secret", $secret}\n)],
    [2, 'JSON without a file', qq({"nik": "$secret"}\n)],
    [2, 'a file that is an object', qq({"file": {"$secret": 1}}\n)],
    [2, 'deep JSON', '{"file":"a","x":' . '[' x 100_000 . "$secret\n"],
    [0, 'JSON values that are no strings',
     qq({"file": "foreign.webp", "nik": {"$secret": 1}, "data": ["$secret"]}\n)],
    [0, 'many columns', "$long\nforeign.webp" . ',x' x 50_001 . "\n"],
    [0, 'a long value', "file,nik\nforeign.webp,\"" . "$secret\"\"" x 200_000 . "\"\n"],
    [0, 'a null, an escape, no UTF-8',
     "file,nik,full_name\nforeign.webp,\0\e[31m$secret,\xff\xfe\xc0\x80\n"],
    [0, 'a formula', qq{file,nik\nforeign.webp,"=HYPERLINK(""http://$secret"")"\n}],
    [0, 'a way out', "file,nik\n../../../etc/passwd,$secret\nforeign.webp,1\n"],
    [0, 'the same file twice', "file,nik\nforeign.webp,1\nforeign.webp,$secret\n"],
) {
    my ($code, $name, $text) = @$case;

    mkdir "$dir/one";
    write_file('one/foreign.webp', "RIFF\0\0\0\0WEBPVP8 ");
    is(run("-e '$extract' -b --truth=truth.csv one", $text), $code, "$name: $code");
    unlike(out() . err(), qr/RAHASIA|foreign\.webp|HYPERLINK|passwd|[^\n\x20-\x7e]/,
           'nothing of it is printed');
    like(err(), $code ? qr/^ktp-evaluate: [^\n]+\n\z/ : qr/^\z/, 'one message')
}

# what is wrong

write_file('truth.csv', "file,nik\na.jpg,1\n");

for my $args ('', '--unknown d', '-j 0 d', '-t truth.csv d d',
              '-t truth.csv --table d') {
    is(run($args), 2, "\"$args\": 2");
}

is(run("-e '$extract' --table one"), 2, 'a table of nothing: 2');
is(run("-t nofile.csv d"), 2, 'no truth: 2');
is(run("-e '$extract' nofolder"), 2, 'no folder: 2');
is(run('-e ./nofile d'), 2, 'no ktp-extract: 2');
is(run("--help"), 0, 'help: 0');
like(out(), qr/^usage: /, 'is printed');

done_testing;


sub characters { my ($name) = @_; utf8::decode($name); return $name }
sub write_file { KTP::Nginx::write_file("$dir/$_[0]", $_[1]) }
sub out { return KTP::Nginx::read_file("$dir/out") }
sub err { return KTP::Nginx::read_file("$dir/err") }


# The exit code, with a file of truth, if one is given.
sub run {
    my ($args, $truth) = @_;

    write_file('truth.csv', $truth) if defined $truth;
    my $status = system "cd '$dir' && '$program' $args > out 2> err";

    return $status & 127 ? "signal $status" : $status >> 8;
}


# Prints nothing that is in the truth or a name.
sub quiet {
    my ($name) = @_;
    my @words = map { split /[^A-Za-z0-9]+/ }
                    @names, map { values %$_ } @truth, \%page;
    my %printed = map { lc $_ => 1 } split /[^A-Za-z0-9]+/, out() . err();
    my @said = grep { length > 3 && $printed{ lc $_ } } @words;

    is("@said", '', "$name: no value and no name is printed");
}


sub csv {
    my ($comma, @rows) = @_;

    return join '', map {
        join($comma, map { /["\n,;]/ ? '"' . s/"/""/gr . '"' : $_ } @$_) . "\n"
    } @rows;
}


sub listing {
    return join "\n", grep { !m{^\./(?:out|err|truth\.csv)$} }
        sort split /\n/, `cd '$dir' && find . -type f`;
}


# A run on made-up answers: confidence and score, whether equal, confirmed.
sub fake {
    my @lines = ('', '');
    my $i = 0;

    for my $answer (@_) {
        my ($said, $equal, $confirmed) = @$answer;
        my $nik = sprintf '32739911075%05d', ++$i;
        my %detail = (value => defined $said ? $equal ? $nik : "1$nik" : '',
                      confidence => $said // 0, score => $said // 0,
                      confirmed => $confirmed // 1 ? JSON::PP::true
                                                   : JSON::PP::false);

        $lines[0] .= $json->encode({ file => "d/$i.jpg", data => {
            details => { nik => \%detail } } }) . "\n";
        $lines[1] .= qq({"file":"$i.jpg","nik":"$nik"}\n);
        write_file("d/$i.json", qq({"truth":{"nik":"$nik"}}));
    }

    write_file('answers', $lines[0]);
    is(run('-e ./fake -t truth.csv d', $lines[1]), 0, 'made-up answers: 0');
}
