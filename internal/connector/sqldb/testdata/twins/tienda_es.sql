-- A Spanish shop, keys written id_cliente.
-- engines: postgres mysql sqlite
-- subject: clientes.correo
-- owns: pedidos>clientes:id_cliente lineas_pedido>pedidos:id_pedido facturas>pedidos:id_pedido direcciones>clientes:id_cliente mensajes>clientes:id_cliente
-- personal: clientes.correo clientes.nombre clientes.apellidos clientes.dni clientes.telefono clientes.fecha_nacimiento clientes.contrasena direcciones.calle direcciones.codigo_postal direcciones.ciudad mensajes.mensaje empleados.correo empleados.nombre
CREATE TABLE clientes (id_cliente integer PRIMARY KEY, nombre varchar(60), apellidos varchar(80), correo varchar(100), dni varchar(12), telefono varchar(20), fecha_nacimiento date, contrasena varchar(100));
CREATE TABLE empleados (id_empleado integer PRIMARY KEY, nombre varchar(60), correo varchar(100));
CREATE TABLE direcciones (id_direccion integer PRIMARY KEY, id_cliente integer NOT NULL, calle varchar(80), codigo_postal varchar(8), ciudad varchar(60));
CREATE TABLE pedidos (id_pedido integer PRIMARY KEY, id_cliente integer NOT NULL, id_empleado integer, id_direccion integer, fecha date);
CREATE TABLE lineas_pedido (id_pedido integer NOT NULL, linea integer NOT NULL, id_producto integer, PRIMARY KEY (id_pedido, linea));
CREATE TABLE facturas (id_factura integer PRIMARY KEY, id_pedido integer NOT NULL, fecha date, importe numeric(10,2));
CREATE TABLE productos (id_producto integer PRIMARY KEY, nombre varchar(60));
CREATE TABLE mensajes (id_mensaje integer PRIMARY KEY, id_cliente integer NOT NULL, mensaje text);
