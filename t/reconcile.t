# scripts/ktp-reconcile: what the vendor charged, beside the billing log.

use strict;
use warnings;

use lib 't/lib';
use Compress::Zlib ();
use Encode ();
use JSON::PP ();
use KTP ();
use KTP::Nginx;
use POSIX ();
use Test::More;

my $dir = KTP::Nginx::scratch_dir();
my @columns = ('--id=ref', '--charged=paid', '--yes=yes');
my @counts = qw(agreed charged_not_known charged_logged_as_no
                known_not_charged unknown_charged unknown_not_charged
                unknown_not_in_export);

# One line of a log: identifier, how it was billed, and other members.
sub call {
    my ($id, $billed, %more) = @_;

    my %members = (time => '2026-11-10T12:00:00+00:00', client => 'web',
                   reference_id => $id, billed => $billed, %more);

    delete @members{ grep { !defined $members{$_} } keys %members };

    return JSON::PP->new->canonical->ascii->encode(\%members) . "\n";
}

# Exit status, standard output and standard error; standard input is empty.
sub reconcile {
    my (@args) = @_;

    my $pid = fork;
    die "fork: $!" unless defined $pid;

    unless ($pid) {
        open STDIN, '<', "$dir/stdin";
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec 'scripts/ktp-reconcile', @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;

    return ($? >> 8, map { KTP::Nginx::read_file("$dir/$_") } qw(out err));
}

# The result of files with these contents.
sub result_of {
    my ($export, $log, @args) = @_;

    KTP::Nginx::write_file("$dir/export.csv", $export);
    KTP::Nginx::write_file("$dir/log", $log);

    my ($status, $out, $err) = reconcile('--json', @args, "$dir/export.csv",
                                         "$dir/log");

    return ($status, eval { JSON::PP->new->decode($out) } || {}, $err);
}

sub gz { return Compress::Zlib::memGzip($_[0]) }
sub utf16 { return Encode::encode('UTF-16', $_[0]) }

KTP::Nginx::write_file("$dir/stdin", '');


# -- what is told of each call

my $three = "ref,paid\na,yes\nb,yes\nc,no\n";
my $three_calls = call('a', 'yes') . call('b', 'yes');

# Name, export, log, further arguments, exit status, and the counts that are
# not 0.
my @cases = (
    ['both agree', $three, $three_calls, [], 0, {agreed => 2}],
    ['nothing in either', "ref,paid\n", '', [], 0, {}],
    ['charged and not known', "${three}d,yes\n", $three_calls, [], 1,
     {agreed => 2, charged_not_known => 1}],
    ['not in the export', $three, $three_calls . call('d', 'yes'), [], 1,
     {agreed => 2, known_not_charged => 1}],
    ['in the export, and not charged', $three, $three_calls . call('c', 'yes'),
     [], 1, {agreed => 2, known_not_charged => 1}],
    ['charged, and logged as not billed', $three,
     call('a', 'yes') . call('b', 'no'), [], 1,
     {agreed => 1, charged_logged_as_no => 1}],
    ['not charged, and logged as not billed', $three,
     $three_calls . call('c', 'no'), [], 0, {agreed => 2}],
    ['unknown calls are what the vendor says', $three,
     call('a', 'yes') . call('b', 'unknown') . call('c', 'unknown')
     . call('d', 'unknown'), [], 0,
     {agreed => 1, unknown_charged => 1, unknown_not_charged => 1,
      unknown_not_in_export => 1}],

    # identifiers that repeat
    ['charged twice for one call', "${three}a,yes\n", $three_calls, [], 1,
     {agreed => 2, charged_not_known => 1}],
    ['two calls, and charged once', $three, $three_calls . call('a', 'yes'),
     [], 1, {agreed => 2, known_not_charged => 1}],
    ['two calls, and charged twice', "${three}a,yes\n",
     $three_calls . call('a', 'yes'), [], 0, {agreed => 3}],
    ['a refused repeat is not charged', "${three}a,no\n",
     $three_calls . call('a', 'no'), [], 0, {agreed => 2}],
    ['a charge is first of the call that is surely billed',
     "ref,paid\na,yes\n", call('a', 'unknown') . call('a', 'yes'), [], 0,
     {agreed => 1, unknown_not_in_export => 1}],
    ['one refusal is not told of two calls', "ref,paid\na,no\n",
     call('a', 'yes') . call('a', 'unknown'), [], 1,
     {known_not_charged => 1, unknown_not_in_export => 1}],
    ['case of an identifier matters', "ref,paid\nA,yes\n", call('a', 'yes'),
     [], 1, {charged_not_known => 1, known_not_charged => 1}],

    # none
    ['without identifier, as many', "ref,paid\n,yes\n,yes\n",
     call('', 'yes') . call('', 'yes'), [], 0, {agreed => 2}],
    ['without identifier, one charged more', "ref,paid\n,yes\n,yes\n",
     call('', 'yes'), [], 1, {agreed => 1, charged_not_known => 1}],
    ['no member, and blanks', "ref,paid\n  ,yes\n", call(undef, 'yes'), [], 0,
     {agreed => 1}],

    # answers that cost no call
    ['replayed, joined and rehearsed requests are none', "ref,paid\na,yes\n",
     call('a', 'yes', source => 'upstream')
     . call('a', 'yes', source => 'joined')
     . call('a', 'yes', source => 'replayed')
     . call('a', 'no', source => 'precheck')
     . call('a', 'no', source => 'first')
     . call('a', 'no', source => 'sandbox'), [], 0, {agreed => 1}],
    ['what a local reader answered cannot be charged', "ref,paid\na,yes\nb,yes\n",
     call('a', 'no', source => 'precheck')
     . call('b', 'no', source => 'first'), [], 1, {charged_not_known => 2}],
    ['a request that a fallback answered may be one', "ref,paid\na,yes\n",
     call('a', 'unknown', source => 'fallback')
     . call('b', 'no', source => 'fallback'), [], 0,
     {unknown_charged => 1}],

    # the form of the export
    ['quoted fields', qq("ref","a ""note""","paid"\r\n)
     . qq("a","x, y","yes"\r\n"b","two\r\nlines","yes"\r\n), $three_calls, [],
     0, {agreed => 2}],
    ['CRLF', $three =~ s/\n/\r\n/gr, $three_calls, [], 0, {agreed => 2}],
    ['CR', $three =~ s/\n/\r/gr, $three_calls, [], 0, {agreed => 2}],
    ['no end of the last line', $three =~ s/\n\z//r, $three_calls, [], 0,
     {agreed => 2}],
    ['empty lines', $three =~ s/\n/\n\n/gr, $three_calls, [], 0,
     {agreed => 2}],
    ['semicolons', $three =~ tr/,/;/r, $three_calls, [], 0, {agreed => 2}],
    ['tabs', $three =~ tr/,/\t/r, $three_calls, [], 0, {agreed => 2}],
    ['bars', $three =~ tr/,/|/r, $three_calls, [], 0, {agreed => 2}],
    ['a delimiter that is named', $three =~ tr/,/^/r, $three_calls,
     ['--delimiter=^'], 0, {agreed => 2}],
    ['a delimiter that the file names', "sep=;\r\n" . $three =~ tr/,/;/r,
     $three_calls, [], 0, {agreed => 2}],
    ['more columns with the other delimiter',
     "note,more;ref;paid\nx,y;a;yes\n,;b;yes\n", $three_calls, [], 0,
     {agreed => 2}],
    ['blanks around values', "ref , paid\n a , yes \nb,yes\n", $three_calls,
     [], 0, {agreed => 2}],
    ['empty columns behind the last', $three =~ s/(yes|no)$/$1,,/gmr,
     $three_calls, [], 0, {agreed => 2}],
    ['byte order mark of UTF-8', "\xef\xbb\xbf$three", $three_calls, [], 0,
     {agreed => 2}],
    ['the same in front of quotes', qq(\xef\xbb\xbf"ref","paid"\na,yes\nb,yes\n),
     $three_calls, [], 0, {agreed => 2}],
    ['UTF-16', utf16($three), $three_calls, [], 0, {agreed => 2}],
    ['UTF-16, little endian', "\xff\xfe" . Encode::encode('UTF-16LE', $three),
     $three_calls, [], 0, {agreed => 2}],
    ['another column in Latin-1', "ref,note,paid\na,caf\xe9,yes\nb,\xff,yes\n",
     $three_calls, [], 0, {agreed => 2}],
    ['a column named in Latin-1', "ref,pay\xe9\na,yes\nb,yes\n", $three_calls,
     ["--charged=pay\xc3\xa9", '--encoding=latin-1'], 0, {agreed => 2}],
    ['an identifier in Latin-1 is like no other',
     "ref,paid\na\xe9,yes\nb\xe8,no\n", call('a', 'yes'), [], 1,
     {charged_not_known => 1, known_not_charged => 1}],
    ['several values mean yes, in either case',
     "ref,paid\na,Billed\nb,1\nc,FREE\n", $three_calls,
     ['--yes=billed,1'], 0, {agreed => 2}],
    ['each row is a charge', "ref\na\nb\n", $three_calls, 'rows', 0,
     {agreed => 2}],
    ['a compressed export', gz($three), $three_calls, [], 0, {agreed => 2}],

    # the form of the log
    ['a compressed log', $three, gz($three_calls), [], 0, {agreed => 2}],
    ['a compressed log in two parts', $three,
     gz(call('a', 'yes')) . gz(call('b', 'yes')), [], 0, {agreed => 2}],
    ['CRLF and empty lines in the log', $three,
     $three_calls =~ s/\n/\r\n\r\n/gr, [], 0, {agreed => 2}],
    ['no end of the last line of the log', $three, $three_calls =~ s/\n\z//r,
     [], 0, {agreed => 2}],
    ['members with other bytes', $three,
     $three_calls =~ s/"web"/"w\xe9b"/r =~ s/"web"/"\\ud800"/r, [], 0,
     {agreed => 2}],

    # damage makes a difference of its own
    ['a row that is cut off', "ref,paid,note\na,yes,\nb,yes,\nc,no",
     $three_calls, [], 1, {agreed => 2, damaged => [1, 0]}],
    ['a row with a comma too many', "ref,paid,note\na,yes,\nb,yes,x,y\n",
     $three_calls, [], 1,
     {agreed => 1, known_not_charged => 1, damaged => [1, 0]}],
    ['a line of the log that is cut off', $three,
     $three_calls . substr(call('d', 'yes'), 0, 40), [], 1,
     {agreed => 2, damaged => [0, 1]}],
    ['a line in the middle', $three,
     call('a', 'yes') . "{\"refer\n" . call('b', 'yes'), [], 1,
     {agreed => 2, damaged => [0, 1]}],
    ['a line that is too long', $three,
     call('a', 'yes') . 'x' x 3_000_000 . "\n" . call('b', 'yes'), [], 1,
     {agreed => 2, damaged => [0, 1]}],
    ['deep nesting', $three, $three_calls . '[' x 100_000 . "\n", [], 1,
     {agreed => 2, damaged => [0, 1]}],
    (map { [qq(a line of $_->[0]), $three, "$three_calls$_->[1]\n", [], 1,
            {agreed => 2, damaged => [0, 1]}] }
     ['no object', '["billed","yes"]'], ['a number', '1'],
     ['text of an access log', '127.0.0.1 - - "POST /ktp HTTP/1.1" 200 5'],
     ['another "billed"', '{"reference_id":"d","billed":"perhaps"}'],
     ['no "billed"', '{"reference_id":"d"}'],
     ['a list for "billed"', '{"reference_id":"d","billed":[]}'],
     ['a list for an identifier', '{"reference_id":[],"billed":"yes"}'],
     ['a cost with a sign', '{"billed":"yes","cost":"-1"}'],
     ['a cost with an exponent', '{"billed":"yes","cost":1e3}'],
     ['a cost with seven decimals', '{"billed":"yes","cost":"0.1234567"}']),

    # a period
    ['calls before and after it', "ref,paid\nb,yes\n",
     call('a', 'yes', time => '2026-10-31T23:59:59+07:00')
     . call('b', 'yes', time => '2026-11-01T00:00:00+07:00')
     . call('c', 'yes', time => '2026-12-01T00:00:00+07:00'),
     ['--from=2026-11-01T00:00:00+07:00', '--to=2026-12-01T00:00:00+07:00'],
     0, {agreed => 1}],
    ['the same without one', "ref,paid\nb,yes\n",
     call('a', 'yes', time => '2026-10-31T23:59:59+07:00') . call('b', 'yes'),
     [], 1, {agreed => 1, known_not_charged => 1}],
    ['the zone of a time matters', "ref,paid\n",
     call('a', 'yes', time => '2026-11-01T00:30:00+07:00'),
     ['--from=2026-10-31T18:00:00+00:00'], 0, {}],
    ['a charge of a call outside', "ref,paid\na,yes\nb,yes\n",
     call('a', 'yes', time => '2026-10-31T23:59:59+00:00') . call('b', 'yes'),
     ['--from=2026-11-01T00:00:00+00:00'], 0, {agreed => 1}],
    ['a call without a time', "ref,paid\n", call('a', 'yes', time => undef),
     ['--from=2026-11-01'], 1, {damaged => [0, 1]}],
    ['a time that is none', "ref,paid\n", call('a', 'yes', time => 'noon'),
     ['--to=2026-11-01'], 1, {damaged => [0, 1]}],
);

for my $case (@cases) {
    my ($name, $export, $log, $more, $status, $want) = @$case;
    my ($got, $result, $err) = result_of($export, $log,
        ref $more ? (@columns, @$more) : '--id=ref');

    my %have = map { $_ => $result->{$_}{calls} } grep { $_ ne 'agreed' }
               @counts;
    $have{agreed} = $result->{agreed};
    $have{damaged} = [map { $result->{$_}{damaged} } qw(export log)];

    is($got, $status, "$name: exit status $status") or diag($err);
    is_deeply(\%have, { map({ $_ => 0 } @counts), damaged => [0, 0], %$want },
              "$name: what is told") or diag(explain(\%have));
    is(!!$result->{agrees}, $status == 0, "$name: the verdict");
}


# -- lists and sums

my ($status, $result) = result_of(
    "ref,paid\na,yes\nb,yes\nc,no\nd,yes\nd,yes\nshared,yes\n,yes\n"
    . "x\e[2J,pending\n",
    call('a', 'yes', cost => '0.15') . call('b', 'unknown', cost => '')
    . call('c', 'yes', client => 'app', cost => '0.100000')
    . call('e', 'yes', client => 'app', cost => 1200)
    . call('shared', 'yes', client => 'app', cost => '0.000001')
    . call('shared', 'unknown', client => 'web', cost => '-')
    . call('', 'yes', client => ''),
    @columns);

is($status, 1, 'a mixed pair of files');
is_deeply($result->{charged_not_known}{ids},
          [{reference_id => 'd', calls => 2}], 'charged and not known');
is_deeply($result->{known_not_charged}{ids},
          [{reference_id => 'c', calls => 1, client => 'app',
            in_export => JSON::PP::true()},
           {reference_id => 'e', calls => 1, client => 'app',
            in_export => JSON::PP::false()}],
          'known and not charged, and whether the vendor knows them');
is_deeply($result->{repeated_in_export}{ids},
          [{reference_id => 'd', calls => 2, charged => 2}],
          'repeated in the export');
is_deeply($result->{repeated_in_log}{ids},
          [{reference_id => 'shared', calls => 2, client => '(several)',
            billed => 1}], 'repeated in the log');
is_deeply($result->{export}{values_not_charged}, {no => 1, pending => 1},
          'values that were taken for no');
is($result->{export}{without_id}, 1, 'a row without identifier');
is($result->{log}{without_id}, 1, 'a call without identifier');

my %sums = map { $_->{client} => $_ } @{ $result->{clients} };

is_deeply($sums{web}, {client => 'web', billed => 1, unknown => 2,
                       charged => 2, known_not_charged => 0, cost => '0.15'},
          'sums of a client');
is_deeply($sums{app}, {client => 'app', billed => 3, unknown => 0,
                       charged => 0, known_not_charged => 2,
                       cost => '1200.100001'},
          'of another, to the last decimal');
is($sums{'(several)'}{charged}, 1, 'a charge of two clients is of neither');
is($sums{'-'}{billed}, 1, 'a call of nobody');

(undef, my $text) = reconcile(@columns, "$dir/export.csv", "$dir/log");

like($text, qr/^charged and not known here: 2\n    d  x 2\n/m,
     'the text names what is not known');
like($text, qr/^billed as logged here and not charged: 2\n    c  app\n    e  app  not in the export\n/m,
     'and what is not charged');
like($text, qr/^app +3 +0 +0 +2 +1200\.100001$/m, 'it has the sums');
like($text, qr/\nthe export and the log differ\n\z/, 'and the verdict');
unlike($text, qr/\e/, 'and nothing that moves a cursor');

{
    local $ENV{PYTHONIOENCODING} = 'ascii';

    KTP::Nginx::write_file("$dir/export.csv", "ref,paid\n\xc3\xa9,yes\n");
    (my $status, $text) = reconcile(@columns, "$dir/export.csv", "$dir/log");
    is($status, 1, 'a terminal that has no such character');
    like($text, qr/^    \\xe9$/m, 'gets it escaped');
}


# -- how much is listed

my $many = "ref,paid\n" . join '', map { sprintf "id-%03d,yes\n", $_ } 1 .. 50;

for my $case ([[], 20], [['--limit=3'], 3], [['--limit=0'], 50]) {
    my ($args, $listed) = @$case;
    my (undef, $result) = result_of($many, '', @columns, @$args);

    is($result->{charged_not_known}{calls}, 50, "@$args: all are counted");
    is(@{ $result->{charged_not_known}{ids} }, $listed, "and $listed listed");
}

(undef, $text) = reconcile(@columns, '--limit=3', "$dir/export.csv",
                           "$dir/log");
like($text, qr/^    id-003\n    and 47 more$/m, 'the text has the rest');

my $values = "ref,paid\n" . join '', map { "a$_,v$_\n" } 1 .. 50;
(undef, $result) = result_of($values, '', @columns);
is(keys %{ $result->{export}{values_not_charged} }, 20,
   'distinct values are listed up to a limit');
is($result->{export}{other_values_not_charged}, 30, 'and then counted');


# -- several logs, and standard input

KTP::Nginx::write_file("$dir/export.csv", $three);
KTP::Nginx::write_file("$dir/log", call('a', 'yes'));
KTP::Nginx::write_file("$dir/log.1", '');
KTP::Nginx::write_file("$dir/log.2.gz", gz(call('b', 'yes')));

is((reconcile(@columns, "$dir/export.csv", "$dir/log", "$dir/log.1",
              "$dir/log.2.gz"))[0], 0, 'rotated logs are taken together');

KTP::Nginx::write_file("$dir/stdin", $three_calls);
is((reconcile(@columns, "$dir/export.csv", '-'))[0], 0,
   'the log on standard input');
KTP::Nginx::write_file("$dir/stdin", $three);
is((reconcile(@columns, '-', "$dir/log", "$dir/log.2.gz"))[0], 0,
   'the export on standard input');


# -- what cannot be used

KTP::Nginx::write_file("$dir/cut.gz", substr gz($three_calls x 50), 0, 60);
KTP::Nginx::write_file("$dir/bad.gz", gz($three_calls) =~ s/.{8}\z/x{8}/sr);
KTP::Nginx::write_file("$dir/open.csv", "ref,paid\n\"a,yes\nb,yes\n");
KTP::Nginx::write_file("$dir/twice.csv", "ref,paid,ref\n");
KTP::Nginx::write_file("$dir/empty", '');
KTP::Nginx::write_file("$dir/latin.csv", "ref,paid\na,caf\xe9\n");
KTP::Nginx::write_file("$dir/odd.csv", "\xff\xfer\0e");
symlink "$dir/log", "$dir/same";

my ($export, $log) = ("$dir/export.csv", "$dir/log");

for my $case (
    ['no arguments', [], qr/required/],
    ['no log', [@columns, $export], qr/required: LOG/],
    ['no column of identifiers', [$export, $log], qr/required: --id/],
    ['no values', ['--id=ref', '--charged=paid', $export, $log],
     qr/--charged and --yes belong together/],
    ['no column of charges', ['--id=ref', '--yes=yes', $export, $log],
     qr/--charged and --yes belong together/],
    ['an unknown option', [@columns, '--nosuch', $export, $log],
     qr/unrecognized arguments: --nosuch/],
    ['an abbreviated option', [@columns, '--js', $export, $log],
     qr/unrecognized arguments: --js/],
    ['a time that is none', [@columns, '--from=noon', $export, $log],
     qr/argument --from: invalid moment value: 'noon'/],
    ['a time before all times', [@columns, '--from=0001-01-01', $export, $log],
     qr/argument --from/],
    ['an empty period',
     [@columns, '--from=2026-11-02', '--to=2026-11-02', $export, $log],
     qr/--from must be before --to/],
    ['a delimiter of two characters', [@columns, '--delimiter=ab', $export, $log],
     qr/argument --delimiter/],
    ['an unknown encoding', [@columns, '--encoding=nosuch', $export, $log],
     qr/argument --encoding/],
    ['a negative limit', [@columns, '--limit=-1', $export, $log],
     qr/argument --limit/],
    ['a file that is given twice', [@columns, $export, $log, $log],
     qr/a file is given twice/],
    ['by another name', [@columns, $export, $log, "$dir/same"],
     qr/a file is given twice/],
    ['no such export', [@columns, "$dir/nosuch", $log],
     qr{"\S+/nosuch": No such file or directory$}],
    ['no such log', [@columns, $export, "$dir/nosuch"],
     qr{"\S+/nosuch": No such file or directory$}],
    ['a folder', [@columns, $export, $dir], qr/: Is a directory$/],
    ['no such column', ['--id=number', $export, $log],
     qr{"\S+/export.csv": no column "number", there are "ref", "paid"$}],
    ['a column that is there twice', ['--id=ref', "$dir/twice.csv", $log],
     qr/more than one column "ref"/],
    ['an empty export', [@columns, "$dir/empty", $log], qr/no column "ref"/],
    ['a quote without its end', [@columns, "$dir/open.csv", $log],
     qr{"\S+/open.csv": unexpected end of data$}],
    ['a log for an export', [@columns, $log, $export], qr{"\S+/log": }],
    ['a compressed log that is cut off', [@columns, $export, "$dir/cut.gz"],
     qr{"\S+/cut.gz": Compressed file ended}],
    ['a compressed log that is damaged', [@columns, $export, "$dir/bad.gz"],
     qr{"\S+/bad.gz": }],
    ['another encoding than named',
     [@columns, '--encoding=utf-8', "$dir/latin.csv", $log],
     qr{"\S+/latin.csv": .*can't decode}],
    ['UTF-16 that is cut off', [@columns, "$dir/odd.csv", $log],
     qr{"\S+/odd.csv": .*truncated}],
) {
    my ($name, $args, $like) = @$case;
    my ($status, $out, $err) = reconcile(@$args);

    is($status, 2, "$name: exit status 2");
    is($out, '', "$name: no result");
    like($err, $like, "$name: the message");
    unlike($err, qr/Traceback/, "$name: no trace");
}

SKIP: {
    skip 'no /dev/full', 2 unless -c '/dev/full';

    my @command = ('scripts/ktp-reconcile', @columns, $export, $log);

    is(system("@command > /dev/full 2> $dir/err") >> 8, 2,
       'a result that cannot be written');
    like(KTP::Nginx::read_file("$dir/err"), qr/standard output: No space left/,
         'is told');
}

($status, $text) = reconcile('--help');
is($status, 0, '--help helps');
like($text, qr/^usage: \S*ktp-reconcile /, 'with what to type');

done_testing();
