# Mutated answers of an upstream: none lets the value of a hidden field
# through, and each is passed on or refused as the table below says.
#
#   prove t/answer-mutations.t                 the usual 200
#   prove t/answer-mutations.t :: SEED COUNT   others

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP::Nginx;
use Test::More;

my ($seed, $count) = (@ARGV, 1, 200)[0 .. 1];
($seed, $count) = @ARGV if @ARGV == 2;

# masked: nik, full_name, date_of_birth; left out: what has no "+"
my $policy = 'nik=last:4 full_name=first:1 date_of_birth=full '
           . join ' ', map { "+$_" } qw(nik full_name date_of_birth gender
                                        rt_rw occupation nationality
                                        reference_id image_quality);
my @hidden = qw(nik full_name date_of_birth religion address marital_status);

my @names = ('BUDI SANTOSO', 'SITI RAHMAWATI', 'AGUS', 'DEWI LESTARI PUTRI',
             'MUHAMMAD RIZKI PRATAMA', 'YOHANES', 'NI LUH AYU');
my @places = ('BANDUNG', 'SURABAYA', 'DENPASAR', 'MAKASSAR');
my @religions = qw(ISLAM KRISTEN KATHOLIK HINDU BUDDHA);
my @jobs = ('KARYAWAN SWASTA', 'PELAJAR/MAHASISWA', 'WIRASWASTA', 'PERAWAT');
my $json = JSON::PP->new->canonical->latin1;

# kind => [verdict, what makes the body of a person's answer, HTTP status]
my %table = (
    'as it is' => ['passed', sub { encode($_[0]) }],
    'another order, with white space' => ['passed', sub {
        my $text = JSON::PP->new->latin1->pretty->encode($_[0]);
        $text =~ s/\n/\r\n\t/g;
        $text;
    }],
    'escaped letters' => ['passed', sub {
        encode($_[0]) =~ s{"([^"]*)"}{
            '"' . join('', map { roll(2) ? sprintf '\u%04x', ord : $_ }
                           split //, $1) . '"'
        }ger;
    }],
    'unknown member of the answer' => ['passed', sub {
        $_[0]{one_of(qw(debug trace nik Data))} = hidden_value($_[0]);
        encode($_[0]);
    }],
    'unknown member of data' => ['passed', sub {
        $_[0]{data}{one_of(qw(raw NIK name), 'nik ', '')}
            = { text => [hidden_value($_[0]), $_[0]{data}{nik}] };
        encode($_[0]);
    }],
    'data in data' => ['passed', sub {
        $_[0]{data}{data} = { %{ $_[0]{data} } };
        encode($_[0]);
    }],
    'unknown member of image_quality' => ['passed', sub {
        $_[0]{data}{image_quality}{one_of(qw(note nik))}
            = hidden_value($_[0]);
        encode($_[0]);
    }],
    'data of an error' => ['passed', sub { encode($_[0]) }, 400],
    'empty fields' => ['passed', sub {
        $_[0]{data}{$_} = '' for grep { roll(2) && $_ ne 'image_quality' }
                                 sort keys %{ $_[0]{data} };
        encode($_[0]);
    }],
    'nulls' => ['passed', sub {
        $_[0]{data}{$_} = undef for grep { roll(2) } sort keys %{ $_[0]{data} };
        $_[0]{error_code} = undef if roll(2);
        encode($_[0]);
    }],

    'a key twice' => ['refused', sub {
        my $field = one_of(@hidden);
        encode($_[0]) =~ s/"data":\{/"data":{"$field":"",/r;
    }],
    'a key twice, escaped' => ['refused', sub {
        my $field = one_of(@hidden);
        my $other = $field =~ s/^(.)/sprintf '\\u%04X', ord $1/er;
        encode($_[0]) =~ s/"data":\{/"data":{"$other":"",/r;
    }],
    'data twice' => ['refused', sub {
        encode($_[0]) =~ s/\}\z/,"data":{}}/r;
    }],
    'a key twice in what is unknown' => ['refused', sub {
        encode($_[0]) =~ s/\}\z/,"x":[{"y":1,"y":2}]}/r;
    }],
    'a field of another type' => ['refused', sub {
        my $field = one_of(sort keys %{ $_[0]{data} });
        $_[0]{data}{$field} = one_of(
            JSON::PP::true(), 17, [$_[0]{data}{nik}],
            $field eq 'image_quality' ? 'x' : { value => $_[0]{data}{nik} });
        encode($_[0]);
    }],
    'a text of another type' => ['refused', sub {
        $_[0]{one_of(qw(message status_code))}
            = one_of(3, [hidden_value($_[0])],
                     { nik => $_[0]{data}{nik} });
        encode($_[0]);
    }],
    'a flag of another type' => ['refused', sub {
        $_[0]{data}{image_quality}{one_of(qw(blur dark blur_score))}
            = one_of($_[0]{data}{nik}, [], {});
        encode($_[0]);
    }],
    'the number in the message' => ['passed', sub {
        my $sep = one_of('', ' ', '-', '.', '. ');
        my $nik = $_[0]{data}{nik} =~ s/(..)(?=.)/$1$sep/gr;
        $_[0]{message} = one_of("read $nik", $nik, "x${nik}y", "1$nik");
        $_[0]{data}{nik} = '' if roll(2);
        encode($_[0]);
    }, 200],
    'the number in the message of an error' => ['passed', sub {
        $_[0]{message} .= " $_[0]{data}{nik}";
        delete $_[0]{data} if roll(2);
        encode($_[0]);
    }, 422],
    'a hidden value in the message' => ['passed', sub {
        my $value = hidden_value($_[0]);
        $_[0]{message} = one_of("hello $value", lc $value, "<$value>",
                                "of '\u\L$value\E'");
        encode($_[0]);
    }],
    'a word of the name in the message' => ['passed', sub {
        my @words = grep { length >= 4 } split / /, $_[0]{data}{full_name};
        @words = ($_[0]{data}{full_name} = 'RAHMAT') unless @words;
        $_[0]{message} = 'hello ' . one_of(@words);
        encode($_[0]);
    }],
    'a hidden value in another field' => ['refused', sub {
        my $value = hidden_value($_[0]);
        $_[0]{data}{one_of(qw(occupation nationality gender rt_rw))}
            = one_of($value, "$value X", "X, $value", lc $value);
        encode($_[0]);
    }],
    'a hidden value as a reference' => ['passed', sub {
        $_[0]{data}{reference_id} = hidden_value($_[0]);
        encode($_[0]);
    }],
    'a hidden value as a code' => ['refused', sub {
        $_[0]{one_of(qw(error_code status_code))} = hidden_value($_[0]);
        encode($_[0]);
    }],
    'any date in another field' => ['refused', sub {
        $_[0]{data}{occupation} = 'BANDUNG, 12' . one_of(qw(- / .)) . '05'
                                . one_of(qw(- / .)) . '1977';
        encode($_[0]);
    }],
    'the number as a score' => ['passed', sub {
        my $nik = $_[0]{data}{nik};
        encode($_[0]) =~ s/"blur_score":[^,}]*/
            '"blur_score":' . one_of($nik, "0.$nik", "$nik.5")/er;
    }],
    'cut off' => ['refused', sub {
        my $text = encode($_[0]);
        substr $text, 0, roll(length $text);
    }],
    'something behind' => ['refused', sub {
        encode($_[0]) . one_of('x', '{}', "\0", ']', ' 1');
    }],
    'something before' => ['refused', sub {
        one_of("\xef\xbb\xbf", '/* */', ')]}', "\0", '[') . encode($_[0]);
    }],
    'invalid UTF-8' => ['refused', sub {
        my $text = encode($_[0]);
        my $bad = one_of("\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82",
                         "\xf4\x90\x80\x80");
        $text =~ s/SANTOSO|"ok|"V/$&$bad/;
        $text;
    }],
    'an escape that is no character' => ['refused', sub {
        my $bad = one_of('\u0000', '\ud800', '\udfff', '\ud800\u0041');
        encode($_[0]) =~ s/"ok/"ok$bad/r;
    }],
    'too deep' => ['refused', sub {
        my $n = 8 + roll(50);
        encode($_[0]) =~ s/\}\z/',"x":' . '[' x $n . ']' x $n . '}'/er;
    }],
    'no object' => ['refused', sub {
        one_of('[' . encode($_[0]) . ']', $json->allow_nonref->encode(
            $_[0]{data}{nik}), 'null', '', ' ', "<html>$_[0]{data}{nik}");
    }],
    'no text at all' => ['refused', sub {
        encode({ data => $_[0]{data} });
    }],
    'a message that is no ASCII' => ['passed', sub {
        $_[0]{message} = "caf\x{e9}";
        JSON::PP->new->utf8->encode($_[0]);
    }],
);

srand $seed;

my $program = KTP::Nginx::build_dir() . '/unit/contract/answer_rewrite';
my $variant = $ENV{KTP_VARIANT} || 'release';

system('make', '-s', "VARIANT=$variant", $program =~ s{.*?(build/)}{$1}r) == 0
    or BAIL_OUT("$program is not built");

my @kinds = sort keys %table;
my @cases = map { make_case($kinds[$_ % @kinds]) } 0 .. $count - 1;
my @results = run_all([$policy], @cases);

is(scalar @results, $count, 'each answer has a result');
check($cases[$_], $results[$_], $_) for 0 .. $#results;

# with the reference of another request: the same verdict, and nothing else is
# changed, neither under the policy nor without one
for my $reference ('R-2 "\\', '') {
    my @referred = run_all([$policy, $reference], @cases);
    my @passed = run_all(['', $reference], @cases);

    for my $i (0 .. $#cases) {
        my ($case, $name) = ($cases[$i], "$i: $cases[$i]{kind}, '$reference'");

        is($referred[$i]{verdict}, $case->{verdict}, "$name: the verdict");
        referred($name, $results[$i]{text}, $referred[$i]{text}, $reference)
            if $referred[$i]{verdict} eq 'passed';

        referred($name, $case->{body}, $passed[$i]{text}, $reference)
            if $passed[$i]{verdict} eq 'passed';
        is($passed[$i]{verdict}, 'passed', "$name: passed as well")
            if $case->{verdict} eq 'passed';
    }
}

done_testing();


sub roll   { return int rand $_[0] }
sub one_of { return $_[rand @_] }
sub encode { return $json->encode($_[0]) }


sub person {
    my ($day, $month, $year) = (1 + roll(28), 1 + roll(12), 1950 + roll(55));
    my $female = roll(2);

    return {
        message => 'ok', status_code => 'V-' . roll(100), data => {
            nik => sprintf('3273%02d%02d%02d%02d%04d', 1 + roll(30),
                           $day + 40 * $female, $month, $year % 100,
                           1 + roll(9999)),
            full_name => one_of(@names),
            place_of_birth => one_of(@places),
            date_of_birth => sprintf('%02d-%02d-%d', $day, $month, $year),
            gender => $female ? 'PEREMPUAN' : 'LAKI-LAKI',
            address => 'JL. MERDEKA NO. ' . (1 + roll(200)),
            rt_rw => sprintf('%03d/%03d', 1 + roll(20), 1 + roll(20)),
            city => 'KOTA BANDUNG', religion => one_of(@religions),
            marital_status => 'BELUM KAWIN', occupation => one_of(@jobs),
            nationality => 'WNI', reference_id => 'ref-' . roll(1000),
            image_quality => {
                blur => JSON::PP::false(), dark => JSON::PP::true(),
                blur_score => 0.25,
            },
        },
    };
}


sub hidden_value {
    my ($answer) = @_;

    return $answer->{data}{one_of(@hidden)};
}


sub make_case {
    my ($kind) = @_;

    my ($verdict, $mutate, $status) = @{ $table{$kind} };
    my $answer = person();
    my %values = map { $_ => $answer->{data}{$_} } @hidden;
    my $body = $mutate->($answer);

    # some set the name anew
    $values{full_name} = $answer->{data}{full_name} || $values{full_name}
        unless ref($answer->{data}{full_name} // '');

    return { kind => $kind, verdict => $verdict, status => $status || 200,
             body => $body, values => \%values };
}


# Decoded, two answers are the same but for the reference; what has no fields
# is the same to the byte.
sub referred {
    my ($name, $before, $after, $reference) = @_;

    my @answers = map { scalar eval { JSON::PP->new->utf8->decode($_) } }
                  $before, $after;
    my $data = ref $answers[0] eq 'HASH' ? $answers[0]{data} : undef;

    return is($after, $before, "$name: nothing is changed")
        unless ref $data eq 'HASH';

    $data->{reference_id} = $reference
        if $reference ne '' || defined $data->{reference_id};

    is_deeply($answers[1], $answers[0], "$name: nothing else is changed")
        or diag("$before\n$after");
}


sub run_all {
    my ($args, @cases) = @_;

    my $dir = KTP::Nginx::scratch_dir();

    KTP::Nginx::write_file("$dir/in", join '', map {
        "$_->{status} " . length($_->{body}) . "\n$_->{body}"
    } @cases);

    my $words = join ' ', map { "'$_'" } @$args;
    my $status = system("$program $words < $dir/in > $dir/out");
    is($status, 0, 'the program ends well');

    my $out = KTP::Nginx::read_file("$dir/out");
    my @results;

    while ($out =~ s/\A(passed|refused) (\d+)\n//) {
        push @results, { verdict => $1, text => substr($out, 0, $2, '') };
    }

    return @results;
}


sub check {
    my ($case, $result, $n) = @_;

    my $name = "$n: $case->{kind}";
    my @leaks;

    is($result->{verdict}, $case->{verdict}, $name)
        or diag("$case->{body}\n$result->{text}");

    # refused: the reason goes to the log
    for my $field (sort keys %{ $case->{values} }) {
        push @leaks, $field
            if index(lc $result->{text}, lc $case->{values}{$field}) >= 0;
    }

    if ($result->{verdict} eq 'passed') {
        my $answer = eval { JSON::PP->new->utf8->decode($result->{text}) };

        push @leaks, 'not JSON' unless $answer;
        push @leaks, 'data of an error'
            if $answer && $answer->{data} && $case->{status} != 200;
        push @leaks, grep { !/^(?:nik|full_name|date_of_birth|gender|rt_rw|
                                 occupation|nationality|reference_id|
                                 image_quality)$/x }
                     keys %{ $answer->{data} || {} };

        my $nik = $answer->{data}{nik} || '';
        push @leaks, 'nik' unless $nik =~ /^(?:\*{12}\d{4})?$/;
    }

    is_deeply(\@leaks, [], "$name: nothing comes through")
        or diag("$case->{body}\n$result->{text}");
}
