# Rules of nginx's Makefile in addition to those of "config": the page of
# "ktp_console" and the scripts of the fleet are compiled into the module.

ktp_console=$ngx_addon_dir/src/gateway/console
ktp_page=$NGX_OBJS/ngx_http_ktp_console_page.h
ktp_fleet=$ngx_addon_dir/src/gateway/fleet

cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/console/ngx_http_ktp_console.o:	$ktp_page

$ktp_page:	$ktp_console/page.awk $ktp_console/console.html \\
	$ktp_console/console.css $ktp_console/console.js
	awk -f $ktp_console/page.awk $ktp_console/console.html \\
		$ktp_console/console.css $ktp_console/console.js > $ktp_page.new
	mv $ktp_page.new $ktp_page

END

# NAME.lua is for ngx_http_ktp_fleet_NAME.c

for ktp_name in breaker flight forget lease rate
do
    ktp_lua=$NGX_OBJS/ngx_http_ktp_fleet_${ktp_name}_lua.h

    cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/fleet/ngx_http_ktp_fleet_$ktp_name.o:	$ktp_lua

$ktp_lua:	$ktp_fleet/lua.awk $ktp_fleet/$ktp_name.lua
	awk -f $ktp_fleet/lua.awk $ktp_fleet/$ktp_name.lua > $ktp_lua.new
	mv $ktp_lua.new $ktp_lua

END
done
