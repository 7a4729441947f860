# The tables of errors in docs/contract.md, and the sentences for users in
# docs/pesan-kesalahan.md: one row for each row of ktp_error.c, in its order,
# and none that the code does not have.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my ($source) = grep { basename_is($_, 'ktp_error.c') }
               glob 'src/contract/*.c src/contract/*/*.c';
my $code = KTP::Nginx::read_file($source // 'src/contract/base/ktp_error.c');
my $doc = KTP::Nginx::read_file('docs/contract.md');

# ktp_row(CODE, KIND, STATUS, "NAME", "REASON", NUMBERS, "MESSAGE" ...)
my @all;

push @all, { kind => $1 eq $2, name => "$3 $4",
             reason => "$5 $3 $4 " . ($6 =~ s/"\s*"|"//gr) }
    while $code =~ /\bktp_row\((KTP_\w+),\s*(KTP_\w+),\s*(\d+),\s*"(\w+)",
                    \s*"(\w+)",\s*KTP_\w+,\s*((?:"[^"]*"\s*)+)\)/gx;

# one of each kind has a row that says what to do
my @rows = map { $_->{name} } grep { $_->{kind} } @all;
my @documented = table('Errors');

cmp_ok(scalar @rows, '>', 20, 'the table of the code was found');
is_deeply(\@documented, \@rows, 'the errors of the gateway: status and code');

my @reasons;

push @reasons, "$1 $2 $3 $4"
    while $doc =~ /^\| `(\w+)` \| (\d+) \| `(\w+)` \| ([^|]+) \|/mg;

is_deeply(\@reasons, [map { $_->{reason} } @all],
          'the reasons: word, status, code and message');

# those of the upstream are no others of ours
my %names = map { (split)[1] => 1 } @rows;
my @upstream = table('Errors of the upstream');

is_deeply(\@upstream,
          ['200 FAIL_ON_1', '400 INVALID_PAYLOAD_REFERENCE_ID_EXISTS'],
          'the errors of the upstream');
ok(!$names{(split)[1]}, "$_ is no error of the gateway") for @upstream;

# what the text names is in one of the tables
$names{(split)[1]} = 1 for @upstream;

my %text = map { $_ => 1 } $doc =~ /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g;

ok($names{$_}, "$_ is in a table") for sort keys %text;

# each row says why, and what to do about it
for my $line ($doc =~ /^(\| [1-5]\d\d \| .*)$/mg) {
    my @cells = $line =~ /\| ([^|]+?) (?=\|)/g;

    is(scalar @cells, 4, "$cells[0] $cells[1]: reason and what to do");
}

# sentences for users: those of the reasons, then those of the upstream
my $users = KTP::Nginx::read_file('docs/pesan-kesalahan.md');
my @sentences;
my $again = qr/(?:foto lain|foto sama|nanti|tidak)(?:, ditagih\??)?/;

for my $line ($users =~ /^(\| \d+ \| .*)$/mg) {
    my ($status, $name, $reason, $sentence, $how)
        = $line =~ /^\| (\d+) \| `(\w+)` \| (?:`(\w+)`|-) \| (.*?) \| (.*?) \|$/;

    push @sentences, join ' ', $reason // '-', $status // $line, $name // '';
    like($sentence // '', qr/^[A-Z].*\.\z/, "$sentences[-1]: a sentence");
    like($how // '', qr/^$again\z/, '... and whether to try again');
}

is_deeply(\@sentences,
          [(map { $_->{reason} =~ /^(\S+ \S+ \S+)/ } @all),
           map { "- $_" } @upstream], 'each reason has a sentence for users');

done_testing();


sub basename_is {
    my ($path, $name) = @_;

    return $path =~ m{(?:^|/)\Q$name\E$};
}


sub pairs {
    my @pairs;

    push @pairs, [splice @_, 0, 2] while @_;

    return @pairs;
}


# Status and code of each row in the table below a heading.
sub table {
    my ($heading) = @_;

    my ($section) = $doc =~ /^##+ \Q$heading\E\n(.*?)(?=^##|\z)/ms;

    return map { "$_->[0] $_->[1]" }
           pairs(($section // '') =~ /^\| ([1-5]\d\d) \| `([A-Z0-9_]+)` \|/mg);
}
