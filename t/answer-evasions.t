# An upstream that writes hidden values where they do not belong: however the
# value is spelled, encoded, split and placed, it is not passed.  And ordinary
# answers pass under each policy.
#
#   prove t/answer-evasions.t                 the usual 300
#   prove t/answer-evasions.t :: SEED COUNT   others

use strict;
use warnings;
use utf8;

use lib 't/lib';
use JSON::PP ();
use List::Util qw(shuffle);
use MIME::Base64 qw(encode_base64);
use KTP::Nginx;
use Test::More;

my ($seed, $count) = @ARGV == 2 ? @ARGV : (1, 300);

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my @shown = qw(gender blood_type address rt_rw administrative_village
               district city state religion marital_status occupation
               nationality reference_id image_quality);
my $policy = join ' ', qw(nik=last:4 full_name=first:1 date_of_birth=full),
             map { "+$_" } qw(nik full_name date_of_birth), @shown;
my @texts = grep { !/^(?:reference_id|image_quality)$/ } @shown;
my @scores = qw(blur_score dark_score flashlight_score grayscale_score);
my @months = qw(JANUARI FEBRUARI MARET APRIL MEI JUNI JULI AGUSTUS SEPTEMBER
                OKTOBER NOVEMBER DESEMBER);

# first digits of other scripts, and of forms of digits
my @scripts = (0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xe50, 0x1040, 0x17e0,
               0x1b50, 0xa9d0, 0xff10, 0x104a0, 0x1d7ce, 0x1d7d8, 0x1e950,
               0x1fbf0, 0x2080, 0x245f);

srand $seed;

# each takes and gives a text
my %spelling = (
    plain => sub { $_[0] },
    spaced => sub { join one_of(' ', '-', '.', '/', '_', ', '),
                    split //, $_[0] },
    grouped => sub { $_[0] =~ s/(\w{1,4})(?=\w)/$1.one_of(' ', '-', '.')/ger },
    lettered => sub { join one_of('x', 'A'), split //, $_[0] },
    short => sub { substr $_[0], 0, -1 },
    longer => sub { one_of("1$_[0]", "$_[0]7", "NIK $_[0]") },
    alike => sub { $_[0] =~ tr/0158/OISB/r },
    reversed => sub { scalar reverse $_[0] },
    lower => sub { lc $_[0] },
    title => sub { join ' ', map { ucfirst lc } split / /, $_[0] },
    accents => sub { $_[0] =~ tr/AEIOU/ÁÊÌÖŪ/r },
    torn => sub { join one_of("\x{200b}", "\x{ad}", "\x{2060}"),
                  split //, $_[0] },
);

my %date_spelling = (
    plain => sub { $_[0] },
    compact => sub { $_[0] =~ tr/-//dr },
    iso => sub { join one_of('-', '/', '.', ''), reverse split /-/, $_[0] },
    american => sub { my ($d, $m, $y) = split /-/, $_[0];
                      join one_of('-', '/', ' '), $y, $m, $d },
    other => sub { join one_of('/', '.', ' ', ' - '), split /-/, $_[0] },
    words => sub { my ($d, $m, $y) = split /-/, $_[0];
                   join one_of(' ', '-'), $d + 0, $months[$m - 1], $y },
    months => sub { my ($d, $m, $y) = split /-/, $_[0];
                    join ' ', $d, substr($months[$m - 1], 0, 3), $y },
    short => sub { my ($d, $m, $y) = split /-/, $_[0];
                   join one_of('/', ' ', '.'), $d, $m, substr $y, 2 },
    bare => sub { my ($d, $m, $y) = split /-/, $_[0];
                  join one_of('/', ' '), $d + 0, $m + 0, $y },
    spaced => sub { join ' ', split //, $_[0] =~ tr/-//dr },
    scripted => sub { scripted($_[0]) },
);

my %encoding = (
    none => sub { $_[0] },
    script => sub { $_[0] =~ /\d/ ? scripted($_[0])
                                  : join '', map { /[A-Z]/
                                        ? chr(0xff21 + ord() - 65) : $_ }
                                    split //, uc $_[0] },
    base64 => sub { encode_base64($json->encode($_[0]), '') },
    hex => sub { unpack 'H*', $json->encode($_[0]) },
    percent => sub { join '', map { sprintf '%%%02X', ord } split //, $_[0] },
    entities => sub { join '', map { sprintf '&#%d;', ord } split //, $_[0] },
    escapes => sub { join '', map { sprintf '\u%04x', ord } split //, $_[0] },
    json => sub { $json->encode({ nik => $_[0] }) },
);

my (@cases, %seen);

while (@cases < $count) {
    push @cases, evasion();
}

my @results = run_all($policy, @cases);
is(scalar @results, $count, 'each evasion has a result');

for my $i (0 .. $#results) {
    my ($case, $result) = ($cases[$i], $results[$i]);
    my $out = $result->{verdict} eq 'passed'
              ? $json->decode($result->{text}) : {};

    my @passed = grep { defined($_->{at}->($out))
                        && $_->{at}->($out) eq $_->{text} }
                 @{ $case->{pieces} };

    ok(@passed < @{ $case->{pieces} }, "$i: $case->{name}")
        or diag("$case->{body}\n$result->{text}");
}

cmp_ok(scalar(keys %seen), '>=', $count * 0.6, 'evasions differ');

ordinary();

done_testing();


sub roll   { return int rand $_[0] }
sub one_of { return $_[rand @_] }

sub scripted {
    my ($text) = @_;

    my $zero = one_of(@scripts);

    return $text =~ s/([0-9])/chr($zero + $1)/ger;
}

sub person {
    my ($d, $m, $y) = (1 + roll(28), 1 + roll(12), 1940 + roll(65));
    my $female = roll(2);

    return {
        nik => sprintf('3171%02d%02d%02d%02d%04d', 1 + roll(8),
                       $d + 40 * $female, $m, $y % 100, 1 + roll(9999)),
        full_name => one_of('BUDI SANTOSO', 'SITI RAHMAWATI', 'AGUS',
                            'DEWI LESTARI PUTRI', 'YOHANES KRISNADI',
                            'MUHAMMAD RIZKI PRATAMA', 'NI LUH AYU WULANDARI'),
        date_of_birth => sprintf('%02d-%02d-%d', $d, $m, $y),
        place_of_birth => 'JAKARTA', gender => $female ? 'PEREMPUAN'
                                                       : 'LAKI-LAKI',
        blood_type => one_of('A', 'B', 'AB', 'O', '-', 'O+'),
        address => one_of('JL. MERDEKA NO. 123 BLOK C4', 'DUSUN PAHLAWAN',
                          'KP. CIPAGANTI RT 001 RW 002',
                          'PERUM GRIYA ASRI II BLOK A1/12', 'JL. KH. WAHID 5'),
        rt_rw => sprintf('%03d/%03d', 1 + roll(20), 1 + roll(20)),
        administrative_village => one_of('SUKAMAJU', '35 ILIR', 'CIPAGANTI'),
        district => one_of('COBLONG', 'ILIR BARAT I', 'CICENDO'),
        city => one_of('KOTA BANDUNG', 'KABUPATEN BOGOR', 'JAKARTA PUSAT'),
        state => one_of('JAWA BARAT', 'PROVINSI DKI JAKARTA'),
        religion => one_of(qw(ISLAM KRISTEN KATHOLIK HINDU BUDHA KONGHUCU),
                           'KEPERCAYAAN TERHADAP TUHAN YME'),
        marital_status => one_of('BELUM KAWIN', 'KAWIN', 'CERAI HIDUP'),
        occupation => one_of('KARYAWAN SWASTA', 'PELAJAR/MAHASISWA',
                             'MENGURUS RUMAH TANGGA', 'BURUH HARIAN LEPAS',
                             'PEGAWAI NEGERI SIPIL (PNS)'),
        nationality => 'WNI', reference_id => '',
    };
}

sub answer_of {
    my ($person) = @_;

    return { message => 'Success', status_code => 'V-200',
             data => { %$person, image_quality => {
                 blur => JSON::PP::false(), dark => JSON::PP::true(),
                 blur_score => 0.25 } } };
}

# where a text can be put, and how it is found again
sub place {
    my ($answer, $place, $text) = @_;

    if ($place =~ /score/) {
        $answer->{data}{image_quality}{$place} = $text;
        return { text => $text,
                 at => sub { $_[0]{data}{image_quality}{$place} } };
    }

    if (grep { $place eq $_ } @texts, 'reference_id', 'unknown') {
        $answer->{data}{$place} = $text;
        return { text => $text, at => sub { $_[0]{data}{$place} } };
    }

    $answer->{$place} = $text;

    return { text => $text, at => sub { $_[0]{$place} } };
}

sub cut {
    my ($text, $n) = @_;

    my $size = int((length($text) + $n - 1) / $n);

    return $text =~ /(.{1,$size})/sg;
}

sub evasion {
    my $person = person();
    my $answer = answer_of($person);
    my $field = one_of(qw(nik nik full_name date_of_birth));
    my $value = $person->{$field};
    my $spellings = $field eq 'date_of_birth' ? \%date_spelling : \%spelling;
    my $spelling = one_of(sort keys %$spellings);

    # letters between letters are a cipher, a shorter name is another, and
    # so is a short one that is read backwards
    $spelling = 'plain'
        if $field eq 'full_name' && ($spelling =~ /^(?:lettered|short)$/
                                     || $spelling eq 'reversed'
                                        && length $value < 8);

    my $text = $spellings->{$spelling}->($value);
    my $encoding = one_of('none', sort keys %encoding);
    my @pieces;

    $text = $encoding{$encoding}->($text);

    my $way = one_of(qw(whole whole whole split shuffled score scores));
    my @places = (@texts, qw(message error_code status_code reference_id
                             unknown debug));

    return () if $spelling eq 'accents' && $text eq $value;
    return () if $spelling eq 'alike' && $text eq $value;

    if ($way =~ /score/) {
        return () if $field eq 'full_name';

        my $digits = $value =~ tr/-//dr;

        if ($way eq 'score') {
            $digits = one_of($digits, "0.$digits", "$digits.5",
                             substr($digits, 0, 2) . '.' . substr($digits, 2),
                             substr($digits, 0, 1) . '.' . substr($digits, 1)
                             . 'e15', '1.' . $digits);
            push @pieces, place($answer, one_of(@scores), $digits);

        } else {
            my @cut = cut($digits, 4);
            push @pieces, place($answer, $scores[$_], "0.$cut[$_]")
                for 0 .. $#cut;
        }

        ($spelling, $encoding) = ('digits', 'none');

    } elsif ($way eq 'whole') {
        push @pieces, place($answer, one_of(@places), $text);

    } else {
        # pieces of a spelling that tears the value apart say little
        $text = $value =~ tr/-//dr;
        ($spelling, $encoding) = ('plain', 'none');

        my @cut = $field eq 'full_name' ? split(/ /, $text)
                                        : cut($text, 2 + roll(3));
        return () if @cut < 2;

        my @at = (shuffle(qw(gender address rt_rw administrative_village
                             district city religion marital_status
                             occupation nationality)))[0 .. $#cut];

        # in the contract's order, unless they are shuffled
        if ($way eq 'split' || $field eq 'date_of_birth') {
            my %index = map { $texts[$_] => $_ } 0 .. $#texts;
            @at = sort { $index{$a} <=> $index{$b} } @at;
        }

        push @pieces, place($answer, $at[$_], $cut[$_]) for 0 .. $#cut;
    }

    my $name = "$field $spelling $encoding $way";
    my $body = $json->encode($answer);

    # numbers, not texts that look like them
    $body =~ s/("\w+_score":)"([^"]*)"/$1$2/g;
    $seen{"$name @{[ map { $_->{text} } @pieces ]}"} = 1;

    return { name => $name, status => 200, body => $body,
             pieces => \@pieces };
}

# answers as they are, under policies as they are
sub ordinary {
    my @policies = ($policy, 'nik=last:4', 'full_name=first:1 nik=hash',
                    'date_of_birth=full', 'address=full rt_rw=full',
                    '+gender +city', '+nik +full_name +date_of_birth',
                    'check nik=full religion=full');

    for my $p (@policies) {
        my @answers = map { answer_of(person()) } 1 .. 50;

        # scores of many digits, errors, empty fields, and our reader's own
        $answers[1]{data}{image_quality}{dark_score} = 0.12345678901234567;
        $answers[2]{data}{image_quality} = { grayscale_score => 1 };
        $answers[3]{data} = { map { $_ => '' } keys %{ $answers[3]{data} } };
        $answers[3]{data}{image_quality} = { blur => JSON::PP::true() };
        $answers[3]{error_code} = 'FAIL_ON_1';
        $answers[4] = { message => 'KTP not detected',
                        error_code => 'KTP_NOT_DETECTED', status => 400 };
        $answers[5] = { message => 'exists', status => 400, error_code =>
                        'INVALID_PAYLOAD_REFERENCE_ID_EXISTS' };
        $answers[6]{status_code} = 'LOCAL-0';
        $answers[7]{message} = 'Berhasil, 12345678 ✓';
        $answers[8]{data}{debug} = { nik => $answers[8]{data}{nik} };

        my @made = map { { status => delete $_->{status} || 200,
                           body => $json->encode($_) } } @answers;
        my @got = run_all($p, @made);
        my @refused = grep { $got[$_]{verdict} ne 'passed' } 0 .. $#made;

        is_deeply([map { $got[$_]{text} } @refused], [],
                  "ordinary answers pass: $p")
            or diag($made[$refused[0]]{body}), next;

        my $wrong = 0;

        for my $i (9 .. $#made) {
            my $data = $json->decode($got[$i]{text})->{data};

            for my $field (@texts) {
                my $hidden = $p =~ /(?<!\+)\b$field=/
                             || ($p =~ /\+/ && $p !~ /\+$field\b/);
                $wrong++ if !$hidden && $data->{$field}
                                        ne $answers[$i]{data}{$field};
            }
        }

        is($wrong, 0, "with their fields: $p");
    }
}

sub run_all {
    my ($p, @made) = @_;

    my $dir = KTP::Nginx::scratch_dir();
    my $program = KTP::Nginx::build_dir() . '/unit/contract/answer_rewrite';
    my $variant = $ENV{KTP_VARIANT} || 'release';

    system('make', '-s', "VARIANT=$variant",
           $program =~ s{.*?(build/)}{$1}r) == 0
        or BAIL_OUT("$program is not built");

    KTP::Nginx::write_file("$dir/in", join '', map {
        "$_->{status} " . length($_->{body}) . "\n$_->{body}"
    } @made);

    is(system("$program '$p' < $dir/in > $dir/out"), 0,
       'the program ends well');

    my $out = KTP::Nginx::read_file("$dir/out");
    my @results;

    while ($out =~ s/\A(passed|refused) (\d+)\n//) {
        push @results, { verdict => $1, text => substr($out, 0, $2, '') };
    }

    return @results;
}
