# The script of quotas that a fleet shares, under all interleavings of a few
# operations, lost and late messages, crashes and expiries: lease_model.lua of
# t/lib runs it by lua5.1, the interpreter that Redis has, on data of its own.
# Scripts with a fault are found out by the same means.  And its days and months
# are those of gmtime.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my $file = 'src/gateway/fleet/lease.lua';
my $script = KTP::Nginx::read_file($file);
my $dir = KTP::Nginx::scratch_dir();

# what is explored, and how many states there are at least
my %explored = (
    'expiry, repeats'  => [20_000,
        'hosts=2 limit=4 want=3 sends=2 repeats=1 expiries=1'],
    'expiry, a crash'  => [5000, 'sends=2 crashes=1 expiries=1'],
    'a crash, a restart' => [5000, 'sends=2 crashes=1 restarts=1'],
    'three hosts'      => [1000,
        'hosts=3 limit=4 sends=1 repeats=1 crashes=1'],
    'a new day'        => [2000, 'kind=day sends=2 days=1'],
    'a clock set back' => [10_000, 'kind=day sends=2 days=1 backs=1'],
    'Redis loses one'  => [3000, 'sends=2 losses=1'],
    'losses, a crash'  => [1000, 'sends=2 others=1 losses=1 crashes=1'],
    'a late one'       => [2000,
        'hosts=2 sends=3 others=0 crashes=1 repeats=1'],
    'units come back'  => [3000, 'hosts=2 limit=2 sends=2 repeats=1 refunds=1
                                  drops=1'],
    'two crashes'      => [2000, 'hosts=1 sends=3 crashes=2 repeats=1'],
    'days and crashes' => [10_000,
        'kind=day hosts=1 sends=3 days=2 crashes=1 restarts=1'],
);

for my $name (sort keys %explored) {
    my ($least, $set) = @{ $explored{$name} };
    my $said = explore($file, $set);
    my ($states) = $said =~ /^(\d+) states, \d+ steps$/;

    cmp_ok($states // 0, '>=', $least, "$name: no state breaks the promise")
        or diag($said);
    note("$name: $said");
}


# Faults: a text of the script, what is there in its place, where it is seen.
my @faults = (
    ['leases of others are not counted',
     '- here.leased - e.used', '- e.used', 'three hosts'],
    ['what the host holds is not counted',
     "- e.used - e.leased\n", "- e.used\n", 'expiry, repeats'],
    ['a grant takes the place of what is held',
     'e.leased = e.leased + e.granted', 'e.leased = e.granted',
     'expiry, repeats'],
    ['an expired lease is given back',
     'r.used + used + leased', 'r.used + used', 'expiry, repeats'],
    ['a unit is granted when none is left',
     'if left > 0 and a.want > 0', 'if a.want > 0', 'three hosts'],
    ['a lower seq is accepted',
     'a.seq < e.seq', 'false', 'expiry, repeats'],
    ['a repeat is granted again',
     'and a.seq == e.seq', 'and false', 'expiry, repeats'],
    ['a former incarnation is heard',
     "e.former:find(',' .. a.incarnation .. ',', 1, true)", 'false',
     'a late one'],
    ['the lease of a former incarnation is forgotten',
     '(same and 0 or e.leased)', '0', 'expiry, a crash'],
    ['what a former incarnation spent is forgotten',
     'e.base = e.used +', 'e.base = e.base +', 'expiry, a crash'],
    ['figures of a restart are added to those before',
     'a.period ~= r.period and not (same', '(not same or a.period ~= r.period)'
     . ' and not (same', 'a crash, a restart'],
    ['a report is charged to the new day',
     'report(here, there and 0 or a.spent', 'report(here, a.spent',
     'a new day'],
    ['units of the day before are given back too early',
     'report(there, a.spent, a.leaving == 1 and 0 or a.held)',
     'report(there, a.spent, 0)', 'a clock set back'],
    ['what was spent in a day is lost if it comes again',
     'e.used + (same', '(same and e.base or e.used) + (same',
     'a clock set back'],
    ['a host that leaves gives back twice',
     'e.base + spent, held',
     'math.max(0, e.base + spent - a.leaving * a.held), held', 'expiry, repeats'],
    ['what a host has spent that leaves counts twice',
     "a.seq, 'ok', 0",
     "a.seq, 'ok', 0\ne.base = e.base + a.leaving * spent",
     'expiry, repeats'],
);

for (@faults) {
    my ($name, $text, $instead, $where) = @$_;

    is(() = $script =~ /\Q$text/g, 1, "$name: the text is in the script")
        or next;

    my $faulty = $script =~ s/\Q$text/$instead/r;
    KTP::Nginx::write_file("$dir/faulty.lua", $faulty);

    my $said = explore("$dir/faulty.lua", $explored{$where}[1]);
    my ($what, @steps) = split /\n/, $said;

    like($said, qr/^(?:\d+ of \d|more than|only \d|figure of|stale|no end)/,
         "$name: found out");
    note("$what, after " . grep({ !/^  ktp:/ } @steps) . ' steps');
}


# -- days and months

KTP::Nginx::write_file("$dir/dates.lua", <<'EOL');
local now
local world = {math = math, tonumber = tonumber, ipairs = ipairs,
               select = select}

local function call(command)
    if command == 'TIME' then return {tostring(now), '999999'} end
    return {}
end

world.redis = {call = call, pcall = call, error_reply = error}
local script = setfenv(assert(loadfile(arg[1])), world)

for line in io.lines() do
    local offset
    now, offset = line:match('^(%d+) (%S+)$')
    for _, kind in ipairs({'day', 'month'}) do
        world.KEYS = {'ktp:{c}:' .. kind}
        world.ARGV = {'a', 'x', '1', offset, '1', '0', '1', '', '0', '0', '0'}
        local reply = script()
        io.write(reply[2], ' ', ('%.0f'):format(reply[7]), ' ')
    end
    io.write('\n')
end
EOL

my (@times, @expected);
my $start = 1_700_000_000;

# each day of 110 years, within it and at both ends, at several offsets
for my $day (0 .. 365 * 110) {
    my $time = $start - $start % 86400 + 86400 * $day;
    my $offset = (0, 25_200, -12_600, 86_399, -86_399)[$day % 5];

    $time += (0, 86_399, 43_210)[$day % 3] - $offset;
    push @times, "$time $offset";

    my ($d, $m, $y) = (gmtime($time + $offset))[3, 4, 5];
    my $left = 86_400 - ($time + $offset) % 86_400;
    my $more = $left;

    # days until the month is another
    $more += 86_400
        while (gmtime($time + $offset + $more))[4] == $m;

    push @expected, sprintf '%04d-%02d-%02d %d %04d-%02d %d', $y + 1900,
         $m + 1, $d, $left * 1000 - 999, $y + 1900, $m + 1, $more * 1000 - 999;
}

KTP::Nginx::write_file("$dir/times", join '', map { "$_\n" } @times);

my @got = map { s/ \n//r } `lua5.1 $dir/dates.lua $file < $dir/times`;
my ($wrong) = grep { ($got[$_] // '') ne $expected[$_] } 0 .. $#expected;

ok(!defined $wrong, scalar(@expected) . ' days and months are those of gmtime')
    or diag("$times[$wrong]: got $got[$wrong], expected $expected[$wrong]");

done_testing();


sub explore {
    my ($script, $set) = @_;

    my $said = `lua5.1 t/lib/lease_model.lua $script @{[split ' ', $set]} 2>&1`;
    chomp $said;
    return $said;
}
