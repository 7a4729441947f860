# ktp-extract: folders, formats and processes.

use strict;
use warnings;

use FindBin qw($Bin);
use JSON::PP;
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep);
use lib "$Bin/lib";

use KTP::Nginx;
use KTP::Specimen;

my $program = KTP::Nginx::build_dir() . '/ktp-extract';
my $dir = KTP::Nginx::scratch_dir();
my $json = JSON::PP->new->utf8;

my %truth;
my $odd = qq{d/a "quoted", name\n\xff.jpg};
my @names = ($odd, 'd/b.jpg', 'd/c.webp', 'd/e.PNG', 'd/sub/f.jpeg',
             'd/sub/g.jpg');

mkdir "$dir/$_" for qw(d d/sub d/.hidden empty);

draw('d/b.jpg', 1);
draw('d/sub/f.jpeg', 2);
draw($odd, 3);
draw('d/.hidden/h.jpg', 4);
draw('d/.h.jpg', 4);
draw('outside.jpg', 4);

my ($page) = KTP::Specimen::draw(1, '--page', '--size', '800x560');
KTP::Nginx::write_file("$dir/d/sub/g.jpg", $page);
KTP::Nginx::write_file("$dir/d/c.webp", "RIFF\0\0\0\0WEBPVP8 ");
KTP::Nginx::write_file("$dir/d/notes.txt", 'no photo');
KTP::Nginx::write_file("$dir/d/e.PNG", 'no image');
symlink '..', "$dir/d/sub/loop" or die "symlink: $!";

# the same records in each format, in the same order, by one process and more

for my $jobs (1, 3) {
    is(run("-r d -j $jobs"), 1, "array, $jobs: some have no card");
    check("array, $jobs", @{ $json->decode(out()) });

    is(run("--recursive --format=jsonl --jobs=$jobs d"), 1, "lines, $jobs");
    check("lines, $jobs", map { $json->decode($_) } split /\n/, out());
}

is(run('-r d/sub d/sub/'), 1, 'two folders');
is_deeply([map { $_->{file} } @{ $json->decode(out()) }],
          [map { "d/sub/$_" } qw(f.jpeg g.jpg f.jpeg g.jpg)],
          'both are read, with no slash too many');

is(run('d/b.jpg outside.jpg'), 0, 'two files');
is_deeply([map { $_->{file} } @{ $json->decode(out()) }],
          ['d/b.jpg', 'outside.jpg'], 'have their names');

is(run('d/b.jpg'), 0, 'one file');
ok(!exists $json->decode(out())->{file}, 'is the answer of the daemon');
is(run('--format=jsonl d/b.jpg'), 0, 'one file, as a line');
is($json->decode(out())->{file}, 'd/b.jpg', 'has its name');

is(run('-f jsonl nofile.jpg d/b.jpg'), 1, 'a file that is not there');
my @answers = map { $json->decode($_) } split /\n/, out();
is($answers[0]{error_code}, 'FILE_UNREADABLE', 'has a record');
is($answers[0]{file}, 'nofile.jpg', 'with its name');
is($answers[1]{data}{nik}, $truth{'d/b.jpg'}{nik}, 'as the next one has');

# CSV

is(run('-r d --format=csv -j 2'), 1, 'csv');
my @rows = csv(out());
my $head = shift @rows;
is_deeply([@$head[0 .. 4]], [qw(file error_code reason nik full_name)],
          'a line of names');
is(@$head, 19, 'and of fields');
is_deeply([map { $_->[0] } @rows], \@names, 'a line for each file');
is_deeply([map { scalar @$_ } @rows], [(19) x @names], 'of the same length');
is($rows[1][3], $truth{'d/b.jpg'}{nik}, 'with fields');
is_deeply([@{ $rows[2] }[1 .. 4]],
          ['INVALID_PAYLOAD_IMAGE_FORMAT', 'type_webp', '', ''],
          'or a reason');

is(run('-r d/sub --format=csv --details'), 1, 'csv with details');
@rows = csv(out());
is_deeply([@{ $rows[0] }[3 .. 6]],
          [qw(nik nik_confidence full_name full_name_confidence)],
          'has a column for each confidence');
is(@{ $rows[1] }, 3 + 2 * 19, 'and the fields that the contract lacks');
like($rows[1][4], qr/^[01]\.\d{3}$/, 'a confidence');
is($rows[2][4], '', 'and none without a card');

# bad quality

my ($dark) = KTP::Specimen::draw(5, '--dark', 0.2);
KTP::Nginx::write_file("$dir/dark.jpg", $dark);
is(run('-q -f csv dark.jpg'), 0, 'a dark photo');
is_deeply([@{ (csv(out()))[1] }[1 .. 4]], ['FAIL_ON_1', '', '', ''],
          'has its error code, and no fields');

# what is wrong

is(run('-r empty'), 1, 'a folder without photos: 1');
is(out(), '', 'no record');
like(err(), qr/^empty: no photos$/, 'a message');
is(run('-r nofolder d/sub'), 1, 'a folder that is not there: 1');
is(@{ $json->decode(out()) }, 2, 'the other is read');
like(err(), qr/^nofolder: No such file or directory$/, 'a message');

for my $args ('--format=xml d/b.jpg', '--jobs=0 d/b.jpg', '--jobs=257 d/b.jpg',
              '--jobs=two d/b.jpg', '-r', '-r d -a out.png',
              '-f csv -a out.png d/b.jpg') {
    is(run($args), 2, "$args: 2");
    like(err(), qr/^usage: /m, 'the usage');
}

is(run('-r d -f jsonl -j 2 > /dev/full'), 1, 'answers that are not written: 1');

# a process that is killed costs the file that it reads; the FIFO holds it
# there

mkfifo("$dir/fifo.jpg", 0600) or die "mkfifo: $!";
my $pid = fork() // die "fork: $!";

if ($pid == 0) {
    chdir $dir;
    open STDOUT, '>', 'out';
    open STDERR, '>', 'err';
    exec $program, qw(-f jsonl -j 2 fifo.jpg d/b.jpg d/sub/f.jpeg);
}

# the other process ends when it has read the rest
my @children;
for (1 .. 3000) {
    @children = split ' ', `cat /proc/$pid/task/$pid/children 2> /dev/null`;
    last if @children == 1;
    sleep 0.02;
}

is(@children, 1, 'a process that waits for its file');
kill 'KILL', @children;
waitpid $pid, 0;
is($? >> 8, 1, 'is killed: 1');
@answers = map { $json->decode($_) } split /\n/, out();
is_deeply([map { $_->{error_code} // $_->{data}{nik} } @answers],
          ['INTERNAL_SERVER_ERROR', $truth{'d/b.jpg'}{nik},
           $truth{'d/sub/f.jpeg'}{nik}], 'the others are read');
like(err(), qr/^fifo\.jpg: the process that read it ended$/, 'a message');

# progress is for a terminal

SKIP: {
    skip 'script(1) is not installed', 2 if system 'command -v script >/dev/null';

    my $shown = `cd '$dir' && script -qec "'$program' -r d -j 2 > out" /dev/null`;
    like($shown, qr/\r6 of 6 files, 3 without a card\r?\n$/, 'progress');
    is(@{ $json->decode(out()) }, 6, 'beside the records');
}

run('-r d');
is(err(), '', 'none without a terminal');

done_testing;


sub draw {
    my ($name, $seed) = @_;
    my ($card, $truth) = KTP::Specimen::draw($seed);

    KTP::Nginx::write_file("$dir/$name", $card);
    $truth{$name} = $truth;
}


sub run {
    my ($args) = @_;
    my $status = system "cd '$dir' && ('$program' $args) > out 2> err";

    return $status & 127 ? "signal $status" : $status >> 8;
}


sub out { return KTP::Nginx::read_file("$dir/out") }
sub err { return KTP::Nginx::read_file("$dir/err") }


# The records of folder d.
sub check {
    my ($name, @records) = @_;

    is_deeply([map { $_->{file} } @records],
              [$names[0] =~ s/\xff/\x{fffd}/r, @names[1 .. 5]],
              "$name: a record for each file, in order");
    is_deeply([map { $_->{data} ? $_->{data}{nik} : $_->{reason} } @records],
              [$truth{$odd}{nik}, $truth{'d/b.jpg'}{nik}, 'type_webp',
               'type_unknown', $truth{'d/sub/f.jpeg'}{nik}, 'not_detected'],
              "$name: with its answer");
}


# The rows of a CSV text, as RFC 4180 has it.
sub csv {
    my ($text) = @_;
    my (@rows, @row);

    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/gc) {
        my ($quoted, $plain, $end) = ($1, $2, $3);

        push @row, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
        if ($end eq "\n") {
            push @rows, [@row];
            @row = ();
        }
    }

    die 'no CSV' if pos($text) != length $text;

    return @rows;
}
