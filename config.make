# Rules of nginx's Makefile in addition to those of "config": the page of
# "ktp_console" and the script of leases are compiled into the module.

ktp_console=$ngx_addon_dir/src/gateway/console
ktp_page=$NGX_OBJS/ngx_http_ktp_console_page.h
ktp_fleet=$ngx_addon_dir/src/gateway/fleet
ktp_script=$NGX_OBJS/ngx_http_ktp_fleet_script.h

cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/console/ngx_http_ktp_console.o:	$ktp_page

$ktp_page:	$ktp_console/page.awk $ktp_console/console.html \\
	$ktp_console/console.css $ktp_console/console.js
	awk -f $ktp_console/page.awk $ktp_console/console.html \\
		$ktp_console/console.css $ktp_console/console.js > $ktp_page.new
	mv $ktp_page.new $ktp_page

$NGX_OBJS/addon/fleet/ngx_http_ktp_fleet_lease.o:	$ktp_script

$ktp_script:	$ktp_fleet/lease.awk $ktp_fleet/lease.lua
	awk -f $ktp_fleet/lease.awk $ktp_fleet/lease.lua > $ktp_script.new
	mv $ktp_script.new $ktp_script

END
