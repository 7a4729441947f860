# The tree as the compiler sees it: names of public functions, and who needs
# whom when objects are linked.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my $build = KTP::Nginx::build_dir();

# A folder is read at one glance.
my $Files_in_a_folder = 20;

# Public names that do not begin with their file's stem, each with its reason.
my %Named = (
    main                 => 'C',
);

# Rooms that are one object in several files, which need each other.
my %One_object = (
    'gateway/transport' => 'calls over one multi handle',
);

my @sources = sort glob('*.c src/*/*.c src/*/*/*.c src/*/*/*/*.c');
my (%count, %room, %object);

for my $source (@sources) {
    my ($dir, $stem) = $source =~ m{^(?:(.*)/)?([^/]+)\.c$};

    $count{$dir}++ if defined $dir;
    $room{$source} = defined $dir ? $dir =~ s{^src/}{}r : 'module';

    my ($leaf) = defined $dir ? $dir =~ m{([^/]+)$} : '*';
    ($object{$source}) = $room{$source} =~ /^(?:gateway|module)/
        ? glob "$build/nginx/addon/$leaf/$stem.o"
        : glob "$build/obj/$dir/$stem.o";
}

cmp_ok(scalar(@sources), '>', 100, 'sources are found');
is(join(' ', map { "$_: $count{$_}" }
             grep { $count{$_} > $Files_in_a_folder } sort keys %count),
   '', "no folder has more than $Files_in_a_folder sources");
is(join(' ', grep { !defined $object{$_} || !-e $object{$_} } @sources), '',
   'each source has been built')
    or BAIL_OUT('run "make build" first');

# symbols by nm: who defines a name of ours, and who needs it
my (%home, %needs, %public);

for my $source (@sources) {
    for (`nm $object{$source}`) {
        my ($type, $name) = /\s([A-Za-z]) (\S+)$/ or next;

        if ($type =~ /^[TDRBVW]$/ && $name !~ /^__/) {
            $public{$source}{$name} = $type;
            push @{ $home{$name} }, $source;
        } elsif ($type eq 'U') {
            $needs{$source}{$name} = 1;
        }
    }
}

cmp_ok(scalar(grep { /^(?:ngx_http_)?ktp/ } keys %home), '>', 300,
       'public names are found');
is(join(' ', grep { @{ $home{$_} } > 1 && $_ ne 'main' } sort keys %home), '',
   'no name is public in two files');

my %used;

for my $source (@sources) {
    my ($stem) = $source =~ m{([^/]+)\.c$};
    my @bad;

    for my $name (sort keys %{ $public{$source} || {} }) {
        next if $name =~ /^\Q$stem\E(?:_|$)/;
        $Named{$name} ? $used{$name}++ : push @bad, $name;
    }

    is(join(' ', @bad), '', "public names of $source");
}

is(join(' ', grep { !$used{$_} } sort keys %Named), '',
   'each exception is needed');

# the link graph: a file and the files whose names it needs
my %edges;

for my $source (@sources) {
    for my $name (sort keys %{ $needs{$source} || {} }) {
        next if $name eq 'ngx_http_ktp_module' || !$home{$name};

        my $to = $home{$name}[0];
        push @{ $edges{$source}{$to} }, $name if $to ne $source;
    }
}

my %reach;

for my $source (@sources) {
    my $room = $room{$source};

    $reach{$room} ||= { map { $_ => 1 }
        `scripts/check-layers --includes $room` =~ m{-Isrc/(\S+)}g };

    is(join(' ', map { "@{ $edges{$source}{$_} } of $_" }
                 grep { !$reach{$room}{ $room{$_} } }
                 sort keys %{ $edges{$source} || {} }),
       '', "$source links nothing that its row does not lead to");
}

# strongly connected components of more than one node
sub circles {
    my ($graph) = @_;

    my ($next, @stack, %index, %low, %on, @found) = (0);

    my $visit;
    $visit = sub {
        my ($node) = @_;

        $index{$node} = $low{$node} = $next++;
        push @stack, $node;
        $on{$node} = 1;

        for my $to (sort keys %{ $graph->{$node} || {} }) {
            if (!defined $index{$to}) {
                $visit->($to);
                $low{$node} = $low{$to} if $low{$to} < $low{$node};
            } elsif ($on{$to}) {
                $low{$node} = $index{$to} if $index{$to} < $low{$node};
            }
        }

        return if $low{$node} != $index{$node};

        my @part;
        do {
            push @part, pop @stack;
            $on{ $part[-1] } = 0;
        } until $part[-1] eq $node;

        push @found, join ' ', sort @part if @part > 1;
    };

    for my $node (sort keys %$graph) {
        $visit->($node) unless defined $index{$node};
    }

    return sort @found;
}

is(join('; ', circles({ a => { b => 1 }, b => { c => 1 }, c => { b => 1 },
                        d => { d => 1, a => 1 } })),
   'b c', 'a circle is found');

my %files = map {
    my $from = $_;
    $from => { map { $_ => 1 } grep {
        !$One_object{ $room{$from} } || $room{$_} ne $room{$from}
    } keys %{ $edges{$from} || {} } }
} @sources;

my %rooms;

for my $from (@sources) {
    for my $to (keys %{ $edges{$from} || {} }) {
        $rooms{ $room{$from} }{ $room{$to} } = 1
            if $room{$from} ne $room{$to};
    }
}

is(join('; ', circles(\%files)), '', 'no circle of files');
is(join('; ', circles(\%rooms)), '', 'no circle of rooms');
cmp_ok(scalar(map { keys %$_ } values %files), '>', 100, 'edges are found');

done_testing();
